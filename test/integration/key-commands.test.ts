import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { API_KEYS, Harness, payment } from '@conclave/coordinator/testing'
import { expect } from 'chai'
import { expectRefused, runConclave } from '../rig/command.ts'

describe('conclave key as a process', () => {
  let directory: string
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'conclave-key-'))
    await writeFile(join(directory, 'admin'), `${API_KEYS.admin}\n`, { mode: 0o600 })
  })
  after(() => rm(directory, { recursive: true, force: true }))

  const run = (h: Harness, args: string, group = 'key') =>
    runConclave([group, ...args.split(' '), '--url', h.coordinator?.url as string, '--api-key-file', join(directory, 'admin')])

  it('done is exit code 0; a failure is one line with the code, and exit code 1', async () => {
    await using h = await Harness.start()
    const done = await run(h, 'refresh --key main --json')
    expect([done.exitCode, done.stderr]).deep.equal([0, ''])
    expect(JSON.parse(done.stdout)).deep.include({ kind: 'key.refresh', state: 'succeeded', error: null })
    h.cluster.node(3).changeShare('main', { state: 'stale' })
    const failed = await run(h, 'refresh --key main')
    const lines = failed.stderr.trimEnd().split('\n')
    expect(lines.at(-2)).contain('key.refresh main: failed')
    expectRefused({ ...failed, stderr: `${lines.at(-1)}\n` }, 'RESHARE_NEEDED', /madrid \(stale\)/)
  })

  it('wrong usage is exit code 2, and a denial 4', async () => {
    await using h = await Harness.start()
    expect((await run(h, 'show')).exitCode).equal(2)
    for (const node of h.cluster.nodes) {
      node.intercept = async (_, honest) => {
        const answer = await honest()
        return 'verdict' in answer ? { verdict: { ...answer.verdict, allowed: false, code: 'POLICY_NO_RULE' } } : answer
      }
    }
    await writeFile(join(directory, 'payment'), payment(1))
    const denied = await run(h, `evm-tx --key main --in ${join(directory, 'payment')} --json`, 'sign')
    expect([denied.exitCode, JSON.parse(denied.stdout).state]).deep.equal([4, 'denied'])
    expect(denied.stderr).match(/^conclave: .* \(POLICY_DENIED\)\n$/)
  })
})
