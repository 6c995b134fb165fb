import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { codeOf } from '@conclave/core'
import { expect } from 'chai'
import { type Access, type ApiOptions, accessOf } from './coordinator-api.ts'

const HERE = ['http://127.0.0.1:8080']
const PROFILES = `
default: home
profiles:
  home: { urls: [http://127.0.0.1:1, http://127.0.0.1:2], apiKeyFile: ./home.key }
  work: { urls: [https://coordinator.example], apiKeyFile: ./work.key }
`

describe('whom a command talks to', () => {
  let directory: string
  const file = (name: string) => join(directory, name)
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'conclave-profile-'))
    for (const name of ['home', 'work', 'other', 'open']) await writeFile(file(`${name}.key`), `${name}-secret\n`, { mode: 0o600 })
    await chmod(file('open.key'), 0o640)
    await writeFile(file('profiles.yaml'), PROFILES)
  })
  after(() => rm(directory, { recursive: true, force: true }))

  const access = (options: ApiOptions, env: Record<string, string> = {}): Promise<Access> =>
    accessOf(options, { CONCLAVE_PROFILES: file('profiles.yaml'), ...env })
  const failure = (options: ApiOptions, env: Record<string, string> = {}) =>
    access(options, env).then(
      () => expect.fail('nothing was thrown'),
      (error: unknown) => error,
    )

  it('options come before the environment, and that before the profile', async () => {
    expect(await access({})).deep.equal({ urls: ['http://127.0.0.1:1', 'http://127.0.0.1:2'], apiKey: 'home-secret' })
    expect(await access({ profile: 'work' })).deep.equal({ urls: ['https://coordinator.example'], apiKey: 'work-secret' })
    expect(await access({}, { CONCLAVE_PROFILE: 'work' })).include({ apiKey: 'work-secret' })
    const env = { CONCLAVE_URL: 'http://a, http://b', CONCLAVE_API_KEY: 'in-env' }
    expect(await access({}, env)).deep.equal({ urls: ['http://a', 'http://b'], apiKey: 'in-env' })
    expect(await access({}, { ...env, CONCLAVE_API_KEY_FILE: file('other.key') })).include({ apiKey: 'other-secret' })
    expect(await access({ url: HERE, apiKeyFile: file('work.key') }, env)).deep.equal({ urls: HERE, apiKey: 'work-secret' })
    expect(await access({ apiKeyFile: file('other.key') })).deep.equal({
      urls: ['http://127.0.0.1:1', 'http://127.0.0.1:2'],
      apiKey: 'other-secret',
    })
  })

  it('the key of a profile goes to no other coordinator', async () => {
    expect(codeOf(await failure({ url: HERE }))).equal('NO_API_KEY')
    expect(codeOf(await failure({ url: HERE, profile: 'work' }))).equal('NO_API_KEY')
    expect(codeOf(await failure({}, { CONCLAVE_URL: 'http://a' }))).equal('NO_API_KEY')
  })

  it('a key file that others may read is refused, and no error holds a key', async () => {
    const error = (await failure({ url: HERE, apiKeyFile: file('open.key') })) as Error
    expect(codeOf(error)).equal('API_KEY_OPEN')
    expect(`${error.message} ${JSON.stringify(error)}`).not.contain('secret')
    expect(codeOf(await failure({ url: HERE, apiKeyFile: file('absent') }))).equal('API_KEY_UNREADABLE')
  })

  it('profiles are strict, and may be absent only when none is asked for', async () => {
    expect(codeOf(await failure({ profile: 'toString' }))).equal('NO_PROFILE')
    const absent = { CONCLAVE_PROFILES: file('absent.yaml') }
    expect(codeOf(await failure({}, absent))).equal('NO_COORDINATOR')
    expect(codeOf(await failure({ profile: 'home' }, absent))).equal('BAD_PROFILES')
    const bad = { CONCLAVE_PROFILES: file('bad.yaml') }
    for (const text of [
      'profiles: { a: { urls: [], apiKeyFile: k } }',
      'profiles: { a: { urls: [file:///etc/passwd], apiKeyFile: k } }',
      'profiles: { a: { urls: [http://a], apiKeyFile: k, apiKey: k } }',
      'profiles: 7',
      '{',
    ]) {
      await writeFile(file('bad.yaml'), text)
      expect(codeOf(await failure({}, bad)), text).equal('BAD_PROFILES')
    }
  })
})
