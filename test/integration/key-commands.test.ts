import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { API_KEYS, Harness } from '@conclave/coordinator/testing'
import { expect } from 'chai'
import { expectRefused, runConclave } from '../rig/command.ts'

describe('conclave key as a process', () => {
  let directory: string
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'conclave-key-'))
    await writeFile(join(directory, 'admin'), `${API_KEYS.admin}\n`, { mode: 0o600 })
  })
  after(() => rm(directory, { recursive: true, force: true }))

  const run = (h: Harness, args: string) =>
    runConclave(['key', ...args.split(' '), '--url', h.coordinator?.url as string, '--api-key-file', join(directory, 'admin')])

  it('done is exit code 0; a failure is one line with the code, and exit code 1', async () => {
    await using h = await Harness.start()
    const done = await run(h, 'refresh --key main --json')
    expect([done.exitCode, done.stderr]).deep.equal([0, ''])
    expect(JSON.parse(done.stdout)).deep.include({ kind: 'key.refresh', state: 'succeeded', error: null })
    h.cluster.node(3).changeShare('main', { state: 'stale' })
    const failed = await run(h, 'refresh --key main')
    expect(failed.stdout.trimEnd().split('\n').at(-1)).contain('key.refresh main: failed')
    expectRefused(failed, 'RESHARE_NEEDED', /madrid \(stale\)/)
  })
})
