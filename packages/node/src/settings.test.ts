import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { type ConclaveError, ConfigError } from '@conclave/core'
import { expect } from 'chai'
import { readLock } from './daemon.ts'
import { parseSettings, readSettings } from './settings.ts'

const GOOD = `cluster: { lock: ./cluster.lock.json }
node: { name: zurich }
hsm:
  - { name: primary, module: /usr/lib/softhsm/libsofthsm2.so, token: zurich-a, pin: { file: pin }, env: { SOFTHSM2_CONF: softhsm/softhsm2.conf } }
  - { name: backup, module: /opt/hsm.so, token: zurich-b, serial: 1a2b, pin: { credential: pin_b } }
p2p: { listen: [/ip4/0.0.0.0/tcp/9100] }
store: { path: store }
policy: { file: /etc/conclave/policy.yaml }
`

describe('settings', () => {
  let dir: string
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'conclave-settings-'))
  })
  after(() => rm(dir, { recursive: true, force: true }))

  const problem = (act: () => unknown): ConclaveError => {
    try {
      act()
    } catch (error) {
      expect(error).to.be.instanceOf(ConfigError)
      return error as ConclaveError
    }
    return expect.fail('it was accepted')
  }

  it('settings: every path is absolute, whatever way the file is named; defaults are filled in', async () => {
    const file = join(dir, 'node.yaml')
    await writeFile(file, GOOD)
    for (const name of [file, relative(process.cwd(), file)]) {
      const s = readSettings(name)
      expect(s.hsms[0]).to.deep.equal({
        ...{ name: 'primary', module: '/usr/lib/softhsm/libsofthsm2.so', token: 'zurich-a', pin: { file: join(dir, 'pin') } },
        env: { SOFTHSM2_CONF: join(dir, 'softhsm/softhsm2.conf') },
      })
      expect(s.hsms[1]).to.deep.include({ serial: '1a2b', pin: { credential: 'pin_b' } })
      expect(s.abandonedKeys).to.deep.equal([])
      expect(s.audit).to.deep.equal({
        ...{ path: join(dir, 'audit'), witnessesRequired: undefined, isPostQuantum: false },
        ...{ checkpointEntries: 1000, checkpointMs: 10_000 },
      })
      expect([s.lockFile, s.storePath]).to.deep.equal([join(dir, 'cluster.lock.json'), join(dir, 'store')])
      expect(s).to.include({
        policyFile: '/etc/conclave/policy.yaml',
        clockSkewMaxMs: 5000,
        adminSocket: join(dir, 'admin.sock'),
        name: 'zurich',
        maxConcurrent: 32,
        silenceTimeoutMs: 30_000,
        logLevel: 'info',
      })
    }
  })

  it('settings: of the audit log, and that a node never signs without one', () => {
    const parsed = (audit: string) => parseSettings(`${GOOD}audit: ${audit}\n`, join(dir, 'node.yaml')).audit
    const wished =
      '{ path: /log, witnesses: { required: 0 }, checkpoint: { entries: 5, seconds: 1 }, postQuantum: true, onWriteFailure: stop-signing }'
    expect(parsed(wished)).to.deep.equal({
      ...{ path: '/log', witnessesRequired: 0, checkpointEntries: 5, checkpointMs: 1000, isPostQuantum: true },
    })
    for (const bad of ['{ onWriteFailure: go-on }', '{ witnesses: { required: 9 } }', '{ checkpoint: { seconds: 0 } }', '{ off: true }'])
      expect(problem(() => parsed(bad)).code).to.equal('BAD_SETTINGS')
  })

  it('settings: what a vendor asks for, timeouts and the holder of the identity reach the vault as they stand', async () => {
    const file = join(dir, 'node.yaml')
    const more = {
      libraryParameters: "configdir='sql:/var/lib/nss' dbTokenDescription=zurich-b",
      profile: 'cbc-hmac',
      kek: { label: 'other-kek', id: '0a0b' },
      requestTimeoutMs: 2_000,
      startTimeoutMs: 9_000,
    }
    const text = GOOD.replace('serial: 1a2b,', `serial: 1a2b, ${JSON.stringify(more).slice(1, -1)},`)
    await writeFile(file, `${text}\nidentity: { hsm: backup }\n`)
    const s = readSettings(file)
    expect(s.hsms[1]).to.deep.equal({
      name: 'backup',
      module: '/opt/hsm.so',
      token: 'zurich-b',
      serial: '1a2b',
      pin: { credential: 'pin_b' },
      ...more,
    })
    expect(s.identityHsm).to.equal('backup')
  })

  it('settings: what decoders know beside a payload: ABI files lie beside the settings', () => {
    expect(parseSettings(GOOD, 'node.yaml').decoding).to.deep.equal({ bitcoinNetwork: 'mainnet', abis: [] })
    const text = `${GOOD}\ndecoding: { bitcoinNetwork: regtest, abis: [{ file: abi/vault.json, chain: 1 }] }\n`
    const abis = [{ file: '/etc/conclave/abi/vault.json', chain: 1 }]
    expect(parseSettings(text, '/etc/conclave/node.yaml').decoding).to.deep.equal({ bitcoinNetwork: 'regtest', abis })
    expect(problem(() => parseSettings(text.replace('regtest', 'signet'), 'node.yaml')).message).to.match(/mainnet, testnet, regtest/)
  })

  it('settings: what is wrong is named with file and line', () => {
    const cases: readonly (readonly [string, number, RegExp])[] = [
      [`${GOOD}colour: blue\n`, 9, /colour/],
      [GOOD.replace('token: zurich-a,', 'token: zurich-a, label: x,'), 4, /label/],
      [GOOD.replace('store: { path: store }\n', ''), 1, /store/],
      [GOOD.replace('pin: { file: pin }', 'pin: { value: "1234" }'), 4, /pin/],
      [GOOD.replace('name: zurich', 'name: Zürich'), 2, /a-z/],
      [GOOD.replace('[/ip4/0.0.0.0/tcp/9100]', '[]'), 6, /listen/],
      [`${GOOD}signing: { maxConcurrent: 0 }\n`, 9, /maxConcurrent/],
      [`${GOOD}signing: { silenceTimeoutMs: 999 }\n`, 9, /silenceTimeoutMs/],
      [`${GOOD}signing: { pool: { low: 201 } }\n`, 9, /low/],
      [`${GOOD}signing: { pool: { low: 1, high: 0 } }\n`, 9, /low/],
      [`${GOOD}signing: { pool: { high: 10001 } }\n`, 9, /high/],
      [`${GOOD}signing: { pool: { size: 7 } }\n`, 9, /size/],
      [`${GOOD}admin: { port: 1 }\n`, 9, /port/],
      [`${GOOD}admin: { socket: '' }\n`, 9, /socket/],
      [`${GOOD}node: { name: other }\n`, 9, /twice/],
      ['cluster: [\n', 2, /./],
      ['', 1, /./],
    ]
    for (const [text, line, message] of cases) {
      const error = problem(() => parseSettings(text, '/etc/conclave/node.yaml'))
      expect(error.code).to.equal('BAD_SETTINGS')
      expect(error.message, text)
        .to.match(new RegExp(`^/etc/conclave/node.yaml:${line}: `))
        .and.to.match(message)
      expect(error.message, text).to.not.include('1234')
    }
  })

  it('settings: the correlation pool has marks of its own, and can be off', () => {
    const marks = (text: string) => parseSettings(`${GOOD}${text}`, '/etc/conclave/node.yaml').waterMarks
    expect(marks('')).to.deep.equal({ low: 50, high: 200 })
    expect(marks('signing: { pool: { high: 10000 } }\n')).to.deep.equal({ low: 50, high: 10_000 })
    expect(marks('signing: { pool: { low: 0, high: 0 } }\n')).to.deep.equal({ low: 0, high: 0 })
  })

  const [ADA, BO] = [
    'age1tldlkgc5gym0s8vn5f8vzxe76wfs6889ndkhhegnrgyneat5su3q28727z',
    'age1hdqdcl86nya82l3s45weuwfv5qe3n904xuc894n796h9udwjk4xsl9t2cs',
  ] as const
  const backup = (custodians: string, required: number | string) =>
    `${GOOD}backup:\n  required: ${required}\n  custodians:\n    - ${custodians}\n`

  it('settings: backups have custodians, and take two of them or more', () => {
    expect(parseSettings(GOOD, '/etc/conclave/node.yaml').backup).to.equal(undefined)
    const two = `{ name: ada, recipient: ${ADA} }\n    - { name: bo, recipient: ${BO} }`
    expect(parseSettings(backup(two, 2), '/etc/conclave/node.yaml').backup).to.deep.equal({
      required: 2,
      custodians: [
        { name: 'ada', recipient: ADA },
        { name: 'bo', recipient: BO },
      ],
    })
    const cases: readonly (readonly [string, RegExp])[] = [
      [backup(two, 1), /required/],
      [backup(two, 3), /required: must not be above/],
      [backup(two.split('\n')[0] as string, 2), /custodians/],
      [backup(two.replace('bo', 'ada'), 2), /share a name/],
      [backup(two.replace(BO, ADA), 2), /share a name or a recipient/],
      [backup(two.replace(BO, `${BO.slice(0, -1)}k`), 2), /recipient: must be an age recipient/],
      [backup(two.replace(BO, BO.toUpperCase()), 2), /must be an age recipient/],
      [backup(two.replace(' }', ', phone: 1 }'), 2), /phone/],
      [backup(Array.from({ length: 17 }, (_, i) => `{ name: c${i}, recipient: ${ADA} }`).join('\n    - '), 2), /custodians/],
    ]
    for (const [text, message] of cases) expect(problem(() => parseSettings(text, 'node.yaml')).message, text).to.match(message)
  })

  it('settings: a file that is not there, or not a file', () => {
    for (const file of [join(dir, 'nothing.yaml'), dir]) {
      const error = problem(() => readSettings(file))
      expect(error).to.include({ code: 'SETTINGS_UNREADABLE' })
      expect(error.message).to.include(file)
    }
  })

  it('settings: a lock that is missing, no JSON, no lock or not signed is refused by name', async () => {
    const cases: readonly (readonly [string | undefined, string])[] = [
      [undefined, 'LOCK_UNREADABLE'],
      ['{', 'BAD_LOCK'],
      ['[]', 'BAD_LOCK'],
      ['{"format":"conclave-cluster-lock/2"}', 'BAD_LOCK'],
    ]
    for (const [text, code] of cases) {
      const file = join(dir, 'lock.json')
      await rm(file, { force: true })
      if (text !== undefined) await writeFile(file, text)
      const error: unknown = await readLock(file).then(
        () => undefined,
        (e: unknown) => e,
      )
      expect(error, code).to.be.instanceOf(ConfigError)
      expect(error).to.include({ code })
      expect((error as Error).message).to.not.include('\n')
    }
  })
})
