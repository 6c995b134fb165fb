import { ConfigError } from '@conclave/core'
import { expect } from 'chai'
import { parseCoordinatorSettings, parseListen } from './settings.ts'

const HASH = 'ab'.repeat(32)
const LINES = [
  'cluster: { lock: ./cluster.lock.json }',
  'coordinator: { name: hub, identity: { file: ./identity } }',
  'http: { listen: 127.0.0.1:8080 }',
  'p2p: { listen: [/ip4/0.0.0.0/tcp/9100] }',
  'store: { path: ./store }',
  'api:',
  '  keys:',
  `    - { name: ops, role: admin, sha256: ${HASH} }`,
  'signing:',
  '  parallel: 2',
]

function refusal(lines: readonly string[]): ConfigError {
  try {
    parseCoordinatorSettings(lines.join('\n'), '/etc/conclave')
  } catch (error) {
    expect(error, String(error)).instanceOf(ConfigError)
    return error as ConfigError
  }
  expect.fail('the settings were accepted')
}

describe('coordinator settings', () => {
  it('fill in defaults and make paths absolute', () => {
    const settings = parseCoordinatorSettings(LINES.join('\n'), '/etc/conclave')
    expect(settings.cluster.lock).equal('/etc/conclave/cluster.lock.json')
    expect(settings.coordinator.identity.file).equal('/etc/conclave/identity')
    expect(settings.store.path).equal('/etc/conclave/store')
    expect(settings.signing).deep.equal({ attemptTimeoutMs: 30_000, deadlineMs: 120_000, maxAttempts: 10, parallel: 2 })
    expect(settings.http.bodyBytesMax).equal(524_288)
    expect(settings.http.rate).deep.equal({ perSecond: 200, burst: 1000 })
    expect(settings.decoding).deep.equal({ bitcoinNetwork: 'mainnet', abis: [] })
    const more = parseCoordinatorSettings([...LINES, 'decoding: { abis: [{ file: vault.json }] }'].join('\n'), '/etc/conclave')
    expect(more.decoding.abis).deep.equal([{ file: '/etc/conclave/vault.json' }])
  })

  it('name a directory or a server for the records', () => {
    const postgres = (text: string) => LINES.with(4, `store: { postgres: ${text} }`)
    const settings = parseCoordinatorSettings(postgres('{ urlFile: ./url }').join('\n'), '/etc/conclave')
    expect(settings.store).deep.equal({ postgres: { urlFile: '/etc/conclave/url' }, leaseMs: 10_000 })
    expect(refusal(LINES.with(4, 'store: {}')).message).contain('settings:5: store: either path or postgres')
    expect(refusal(LINES.with(4, 'store: { path: a, postgres: { urlFile: b } }')).message).contain('either path or postgres')
    expect(refusal(postgres('{}')).message).contain('settings:5: store.postgres: either url or urlFile')
    expect(refusal(postgres('{ url: mysql://db }')).message).contain('settings:5: store.postgres.url')
  })

  it('refuse an unknown key with its line', () => {
    const error = refusal([...LINES, '  paralel: 3'])
    expect(error.code).equal('BAD_SETTINGS')
    expect(error.message).contain('settings:11: signing: unknown field "paralel"')
  })

  it('refuse an unknown key inside a list with its line', () => {
    const error = refusal(LINES.with(7, `    - { name: ops, role: admin, sha256: ${HASH}, secret: x }`))
    expect(error.message).contain('settings:8: api.keys[0]: unknown field "secret"')
  })

  it('refuse a wrong value with its line', () => {
    expect(refusal(LINES.with(9, '  parallel: 0')).message).contain('settings:10: signing.parallel')
    expect(refusal(LINES.with(7, `    - { name: ops, role: root, sha256: ${HASH} }`)).message).contain('settings:8:')
  })

  it('refuse to run without an API key', () => {
    expect(refusal(LINES.with(6, '  keys: []').toSpliced(7, 1)).message).contain('at least one API key')
  })

  it('refuse the same key or name twice', () => {
    const again = (name: string, hash: string) => LINES.toSpliced(8, 0, `    - { name: ${name}, role: viewer, sha256: ${hash} }`)
    expect(refusal(again('other', HASH)).message).contain('same sha256')
    expect(refusal(again('ops', 'cd'.repeat(32))).message).contain('same name')
    expect(refusal(again('schedule', 'cd'.repeat(32))).message).contain('"schedule" names the schedules')
  })

  it('refuse duplicate keys, aliases and what is not YAML', () => {
    expect(refusal([...LINES, 'store: { path: b }']).message).contain('settings:11:')
    expect(refusal(LINES.with(2, 'http: &a { listen: 127.0.0.1:1 }').with(3, 'p2p: *a')).code).equal('BAD_SETTINGS')
    expect(refusal(['a: [']).code).equal('BAD_SETTINGS')
  })

  it('listen: host and port, also of IPv6', () => {
    expect(parseListen('127.0.0.1:80')).deep.equal({ host: '127.0.0.1', port: 80 })
    expect(parseListen('[::1]:0')).deep.equal({ host: '::1', port: 0 })
    expect(() => parseListen('127.0.0.1:70000')).throw(ConfigError)
  })
})
