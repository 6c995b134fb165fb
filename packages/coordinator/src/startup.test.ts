import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ConfigError, codeOf, formatLock, parseLock, verifyIdentity } from '@conclave/core'
import { expect } from 'chai'
import { pino } from 'pino'
import { startCoordinator } from './coordinator.ts'
import { createIdentityFile, readIdentityFile } from './identity-file.ts'
import { initCoordinator, SETTINGS_FILE } from './init.ts'
import { type CoordinatorSettings, loadCoordinatorSettings } from './settings.ts'
import { Harness } from './testing/harness.ts'

async function codeFrom(action: Promise<unknown>): Promise<string> {
  return action.then(
    () => 'RESOLVED',
    (error) => codeOf(error),
  )
}

describe('coordinator start', () => {
  const silent = pino({ level: 'silent' })
  const start = (settings: CoordinatorSettings) => startCoordinator({ settings, logger: silent })

  it('runs on libp2p by default, and frees everything at the stop', async () => {
    await using h = await Harness.prepare()
    const settings = { ...h.settings, p2p: { listen: ['/ip4/127.0.0.1/tcp/0'] } }
    const first = await start(settings)
    expect((await fetch(`${first.url}/healthz`)).status).equal(200)
    expect(first.addresses[0]).match(/^\/ip4\/127\.0\.0\.1\/tcp\/\d+$/)
    await Promise.all([first.stop(), first.stop()])
    const second = await start(settings)
    await second.stop()
  })

  it('a lock that is missing, broken, or not signed by all is refused', async () => {
    await using h = await Harness.prepare()
    const { lock } = h.settings.cluster
    const good = await readFile(lock, 'utf8')
    const parsed = parseLock(JSON.parse(good))
    const cases = [
      ['BAD_LOCK', '{}'],
      ['LOCK_UNREADABLE', '{'],
      ['LOCK_UNSIGNED', formatLock({ ...parsed, signatures: new Map([...parsed.signatures].slice(1)) })],
      ['LOCK_UNSIGNED', formatLock({ ...parsed, version: 2, previous: '00'.repeat(32) })],
    ] as const
    for (const [code, text] of cases) {
      await writeFile(lock, text)
      expect(await codeFrom(start(h.settings))).equal(code)
    }
    await rm(lock)
    expect(await codeFrom(start(h.settings))).equal('LOCK_UNREADABLE')
  })

  it('a name that is not in the lock, or an identity that is not its own, is refused', async () => {
    await using h = await Harness.prepare()
    const { identity } = h.settings.coordinator
    expect(await codeFrom(start({ ...h.settings, coordinator: { name: 'other', identity } }))).equal('NOT_A_MEMBER')
    await writeFile(identity.file, '11'.repeat(32))
    expect(await codeFrom(start(h.settings))).equal('WRONG_IDENTITY')
  })

  it('an address that is taken is refused, and nothing is left running', async () => {
    await using h = await Harness.prepare()
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as { port: number }
    const taken = { ...h.settings, http: { ...h.settings.http, listen: `127.0.0.1:${port}` } }
    expect(await codeFrom(start(taken))).equal('LISTEN_FAILED')
    await new Promise((resolve) => other.close(resolve))
    const running = await start(taken)
    await running.stop()
  })

  it('a second coordinator on one store is refused', async () => {
    await using h = await Harness.prepare()
    const first = await start(h.settings)
    expect(await codeFrom(start(h.settings))).equal('STORE_LOCKED')
    expect((await fetch(`${first.url}/healthz`)).status).equal(200)
    await first.stop()
  })

  it('init makes a directory that the settings of which are valid, and whose key opens the API', async () => {
    await using h = await Harness.prepare()
    const dir = join(dirname(h.settings.cluster.lock), 'made')
    const made = await initCoordinator({ dir, name: 'hub', listen: ['/ip4/127.0.0.1/tcp/0'], http: '127.0.0.1:0' })
    expect(made.card).deep.include({ kind: 'coordinator', name: 'hub', addresses: ['/ip4/127.0.0.1/tcp/0'] })
    for (const file of ['identity', 'api-key', SETTINGS_FILE]) expect((await stat(join(dir, file))).mode & 0o077, file).equal(0)
    const lock = parseLock(JSON.parse(await readFile(h.settings.cluster.lock, 'utf8')))
    await writeFile(join(dir, 'cluster.lock.json'), formatLock(lock))
    const settings = await loadCoordinatorSettings(join(dir, SETTINGS_FILE))
    const running = await startCoordinator({ settings, logger: silent, transport: h.cluster.transport() })
    const apiKey = (await readFile(made.apiKeyFile, 'utf8')).trim()
    expect((await fetch(`${running.url}/v1/keys`, { headers: { authorization: `Bearer ${apiKey}` } })).status).equal(200)
    await running.stop()
    expect(JSON.stringify(settings)).not.contain(apiKey)
    expect(await codeFrom(initCoordinator({ dir, name: 'hub', listen: [], http: '127.0.0.1:0' }))).equal('IDENTITY_FILE_EXISTS')
  })
})

describe('identity file', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'conclave-identity-'))
  })
  afterEach(() => rm(directory, { recursive: true, force: true }))

  it('what is created can be read, signs, and is not made twice', async () => {
    const file = join(directory, 'identity')
    const made = await createIdentityFile(file)
    const read = await readIdentityFile(file)
    expect(read.key).deep.equal(made.key)
    const message = Uint8Array.of(1, 2, 3)
    expect(verifyIdentity(made.key, message, await read.sign(message))).equal(true)
    expect(await codeFrom(createIdentityFile(file))).equal('IDENTITY_FILE_EXISTS')
  })

  it('a file that others may read, that is missing, or that holds something else is refused', async () => {
    const file = join(directory, 'identity')
    expect(await codeFrom(readIdentityFile(file))).equal('IDENTITY_FILE_UNREADABLE')
    for (const text of ['', 'ab'.repeat(31), 'ab'.repeat(33), 'zz'.repeat(32), `${'ab'.repeat(32)}\n\n`, `${'ab'.repeat(32)} `]) {
      await writeFile(file, text, { mode: 0o600 })
      const error = await readIdentityFile(file).catch((e: unknown) => e)
      expect(error).instanceOf(ConfigError).property('code', 'BAD_IDENTITY_FILE')
      if (text.length > 2) expect((error as Error).message).not.contain(text.trim())
    }
    await writeFile(file, 'ab'.repeat(32))
    for (const mode of [0o640, 0o604, 0o620]) {
      await chmod(file, mode)
      expect(await codeFrom(readIdentityFile(file))).equal('IDENTITY_FILE_EXPOSED')
    }
    expect(await codeFrom(readIdentityFile(directory))).match(/BAD_IDENTITY_FILE|IDENTITY_FILE_UNREADABLE/)
  })
})
