import { spawn } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AdminStatus } from '@conclave/node'
import { CONCLAVE, until } from '@conclave/testnet'
import { expect } from 'chai'
import { useCluster } from '../rig/cluster.ts'
import { expectRefused, runConclave } from '../rig/command.ts'
import { createKey, signWith } from '../rig/signing.ts'

describe('audit log of real nodes', () => {
  const rig = useCluster({ nodeSettings: 'audit: { checkpoint: { seconds: 1 }, postQuantum: true }\n' })
  let work = ''

  const dirOf = (name: string) => rig().cluster.dirOf(name)
  const lockOf = (name: string) => join(dirOf(name), 'cluster.lock.json')
  const pqOf = (name: string) => ['--pq', join(dirOf(name), 'audit-pq.pub')]
  const audit = (...args: readonly string[]) => runConclave(['audit', ...args])
  const statusOf = async (name: string): Promise<AdminStatus> =>
    JSON.parse((await runConclave(['node', 'status', '--dir', dirOf(name), '--json'])).stdout)

  async function cosigned(name: string): Promise<void> {
    const isDone = async () => {
      const { audit: log } = await statusOf(name)
      return log?.checkpoint?.size === log?.size && log?.checkpoint?.cosigners.length === 2
    }
    await until(isDone, { timeoutMs: 30_000, what: `cosignatures for ${name}` })
  }

  before(async () => {
    work = await mkdtemp(join(tmpdir(), 'conclave-audit-e2e-'))
    const key = { keyId: 'audited', publicKey: await createKey(rig(), 'audited') }
    await signWith(rig(), key, [1, 2])
    for (const name of ['zurich', 'oslo', 'lisbon']) await cosigned(name)
  })
  after(() => rm(work, { recursive: true, force: true }))

  it('audit verify: of a running node, by its lock and by what another node knows', async () => {
    const witnessed = await audit('witnessed', '--dir', dirOf('oslo'), '--out', work)
    expect(witnessed.stdout).to.match(/^zurich: \d+ entries, root [0-9a-f]{64}$/m)
    const known = ['--known', join(work, 'zurich.checkpoint')]
    const { exitCode, stdout, stderr } = await audit('verify', '--dir', dirOf('zurich'), ...known)
    expect([exitCode, stderr]).to.deep.equal([0, ''])
    expect(stdout).to.match(/^log conclave\/[0-9a-f]{64}\/zurich: \d+ entries/)
    const byLock = ['--log', join(dirOf('zurich'), 'audit'), '--lock', lockOf('oslo')]
    const asJson = JSON.parse((await audit('verify', ...byLock, ...pqOf('zurich'), '--json')).stdout)
    expect(asJson.findings).to.deep.equal([])
    // Another node's checkpoint is not one of this log.
    expectRefused(await audit('verify', '--dir', dirOf('zurich'), '--known', join(work, 'lisbon.checkpoint')), 'AUDIT_REFUSED')
  })

  it('audit verify: a log that was changed is refused, with what is wrong', async () => {
    const copy = join(work, 'changed')
    await cp(join(dirOf('zurich'), 'audit'), copy, { recursive: true })
    const checkpoint = await readFile(join(copy, 'checkpoint'))
    await writeFile(
      join(copy, 'checkpoint'),
      checkpoint.map((b, i) => (i === 80 ? b ^ 1 : b)),
    )
    const { exitCode, stdout, stderr } = await audit('verify', '--log', copy, '--lock', lockOf('zurich'), '--node', 'zurich')
    expect(exitCode).to.equal(1)
    expect(stdout).to.match(/^\w+ checkpoint: /m)
    expect(stderr).to.match(/AUDIT_REFUSED/)
  })

  it('audit show: the life of a key and a signature, filtered, and as JSON', async () => {
    const { stdout } = await audit('show', '--dir', dirOf('zurich'), '--kind', 'session.')
    expect(stdout).to.match(/^\d+ \S+Z session\.started .*\n\d+ \S+Z session\.signed /)
    const lines = (await audit('show', '--dir', dirOf('zurich'), '--json')).stdout.trim().split('\n')
    const kinds = lines.map((line) => JSON.parse(line).kind as string)
    expect(kinds).to.include.members(['node.started', 'dealing.started', 'key.provisioned', 'key.activated', 'request.allowed'])
    expect((await audit('show', '--dir', dirOf('zurich'), '--from', '2100-01-01T00:00:00Z')).stdout).to.equal('')
    expectRefused(await audit('show', '--dir', dirOf('zurich'), '--from', 'yesterday'), 'BAD_OPTION')
  })

  it('audit export: a pack verifies offline by the lock alone, and no longer when an entry is taken out', async () => {
    const out = join(work, 'pack')
    const period = ['--from', '2020-01-01T00:00:00Z', '--to', '2100-01-01T00:00:00Z']
    const exported = await audit('export', '--dir', dirOf('zurich'), ...period, '--out', out)
    expect([exported.exitCode, exported.stderr]).to.deep.equal([0, ''])
    const verify = () => audit('verify', '--pack', out, '--lock', lockOf('lisbon'), ...pqOf('zurich'))
    const { exitCode, stdout } = await verify()
    expect(exitCode).to.equal(0)
    expect(stdout)
      .to.match(/complete/)
      .match(/2-key-ceremonies: \d+/)
      .match(/5-signing: 2/)
    const file = join(out, '5-signing.jsonl')
    await writeFile(file, (await readFile(file, 'utf8')).split('\n').slice(1).join('\n'))
    expectRefused(await verify(), 'BAD_PACK', /missing/)
  })

  it('audit serve: a log is verified over HTTP, and nothing but the log is shown', async () => {
    const server = spawn(process.execPath, [CONCLAVE, 'audit', 'serve', '--log', join(dirOf('oslo'), 'audit'), '--port', '0'])
    try {
      const url = await new Promise<string>((resolve) => {
        server.stdout.on('data', (data: Buffer) => resolve(/http:\S+/.exec(data.toString())?.[0] ?? ''))
      })
      const { exitCode, stdout, stderr } = await audit(
        'verify',
        '--log',
        url,
        '--lock',
        lockOf('zurich'),
        '--node',
        'oslo',
        ...pqOf('oslo'),
      )
      expect([exitCode, stderr]).to.deep.equal([0, ''])
      expect(stdout).to.match(/\/oslo: \d+ entries/)
      for (const path of ['head', 'tail/0000000000000', 'tile/0/..%2f..', 'tile/0/000.p/256', '']) {
        expect((await fetch(new URL(path, url))).status, path).to.equal(404)
      }
      expect((await fetch(new URL('checkpoint', url))).headers.get('content-type')).to.equal('text/plain; charset=utf-8')
      expect((await fetch(new URL('checkpoint', url), { method: 'POST' })).status).to.equal(405)
    } finally {
      server.kill('SIGTERM')
      await new Promise((resolve) => server.once('exit', resolve))
    }
  })
})
