import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { API_KEYS, eventually, Harness } from '@conclave/coordinator/testing'
import { expect } from 'chai'
import { expectRefused, type Outcome, runConclave } from '../rig/command.ts'

describe('conclave key', () => {
  let directory: string
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'conclave-key-'))
    await writeFile(join(directory, 'admin'), `${API_KEYS.admin}\n`, { mode: 0o600 })
    await writeFile(join(directory, 'viewer'), API_KEYS.viewer, { mode: 0o600 })
  })
  after(() => rm(directory, { recursive: true, force: true }))

  const run = (h: Harness, args: string, as = 'admin') =>
    runConclave(['key', ...args.split(' '), '--url', h.coordinator?.url as string, '--api-key-file', join(directory, as)])
  const lines = ({ exitCode, stdout, stderr }: Outcome) => {
    expect(stderr).equal('')
    expect(exitCode).equal(0)
    return stdout.trimEnd().split('\n')
  }

  it('create, refresh and reshare wait for the end, with a line per state', async () => {
    await using h = await Harness.start({}, { withKey: false })
    const created = lines(await run(h, 'create --key main'))
    expect(created[0]).match(/^key\.create main: (pending|running|succeeded) \(operation [0-9a-f]{32}\)$/)
    expect(created.at(-2)).match(/^key\.create main: succeeded /)
    expect(created.at(-1)).match(/^main: 0x[0-9a-fA-F]{40}, 3 of 5 \(parties 1 2 3 4 5\), epoch 0, no schedule$/)
    expect(lines(await run(h, 'refresh --key main')).at(-1))
      .contain('3 of 5')
      .contain('epoch 1')
    expect(lines(await run(h, 'reshare --key main --required 4')).at(-1))
      .contain('4 of 5')
      .contain('epoch 2')
    expect(lines(await run(h, 'create --key high --required 5')).at(-1))
      .contain('high: ')
      .contain('5 of 5')
    expect(lines(await run(h, 'list', 'viewer')).map((l) => l.split(':')[0])).deep.equal(['high', 'main'])
  })

  it('--json prints one object, and --no-wait the operation only', async () => {
    await using h = await Harness.start()
    const operation = JSON.parse(lines(await run(h, 'refresh --key main --json')).join())
    expect(operation).deep.include({ kind: 'key.refresh', state: 'succeeded', error: null })
    expect(operation.result).include({ keyId: 'main', epoch: 1 })
    const { operationId } = JSON.parse(lines(await run(h, 'reshare --key main --no-wait --json')).join())
    await eventually(async () => (await h.get<{ state: string }>(`/v1/operations/${operationId}`)).body.state === 'succeeded')
    expect(lines(await run(h, 'refresh --key main --no-wait'))[0]).match(/^operation [0-9a-f]{32}$/)
    expect(JSON.parse(lines(await run(h, 'list --json'))[0] as string)).lengthOf(1)
    expect(JSON.parse(lines(await run(h, 'show --key main --json', 'viewer'))[0] as string)).include({ keyId: 'main' })
  })

  it('schedule sets and ends a schedule', async () => {
    await using h = await Harness.start()
    expect(lines(await run(h, 'schedule --key main --every 30d'))[0]).contain('every 30d, next 2026-01-31T')
    expect(lines(await run(h, 'schedule --key main --every off'))[0]).contain('no schedule')
    for (const every of ['0d', '30', '1w', '3651d', 'never']) {
      expectRefused(await run(h, `schedule --key main --every ${every}`), 'BAD_SCHEDULE')
    }
  })

  it('a failure is one line with the code, and exit code 1', async () => {
    await using h = await Harness.start()
    h.cluster.node(3).changeShare('main', { state: 'stale' })
    const failed = await run(h, 'refresh --key main')
    expect(failed.stdout.trimEnd().split('\n').at(-1)).contain('key.refresh main: failed')
    expectRefused(failed, 'RESHARE_NEEDED', /madrid \(stale\)/)
    expectRefused(await run(h, 'show --key nobody'), 'KEY_NOT_FOUND')
    expectRefused(await run(h, 'reshare --key main --required 1'), 'BAD_THRESHOLD')
    expectRefused(await run(h, 'refresh --key main', 'viewer'), 'FORBIDDEN')
    expectRefused(await run(h, 'list', 'missing'), 'API_KEY_UNREADABLE')
    expect((await runConclave(['key', 'refresh', '--key', 'main'])).exitCode).equal(2)
  })
})
