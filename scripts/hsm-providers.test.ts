import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'

const SCRIPT = join(import.meta.dirname, 'hsm-providers')

function run(...args: string[]) {
  return spawnSync(SCRIPT, args, { encoding: 'utf8' })
}

describe('hsm-providers', () => {
  it('status: names every provider, and for one that is missing its packages', () => {
    const lines = run('status').stdout.trim().split('\n')
    expect(lines.map((line) => line.split(' ')[0])).to.deep.equal(['softhsm', 'nss', 'tpm', 'opencryptoki', 'p11-kit'])
    for (const line of lines) expect(line).to.match(/^\S+ (installed|missing( \S+)+)$/)
  })

  it('start: refuses what it does not know and a directory that depends on where one stands', () => {
    const unknown = run('start', 'abacus', '/tmp/x')
    expect([unknown.status, unknown.stdout]).to.deep.equal([1, ''])
    const relative = run('start', 'softhsm', 'somewhere')
    expect([relative.status, relative.stdout, relative.stderr.split('\n').length]).to.deep.equal([1, '', 2])
  })

  it('stop: ends what was started, by id, and not another process that has come to its id', () => {
    const dir = mkdtempSync(join(tmpdir(), 'conclave-providers-test-'))
    const children: ChildProcess[] = [1, 2].map(() => spawn('sleep', ['60'], { detached: true, stdio: 'ignore' }))
    const [ours, stranger] = children.map((c) => c.pid!) as [number, number]
    try {
      const startOf = (pid: number) => spawnSync('cut', ['-d', ' ', '-f', '22', `/proc/${pid}/stat`], { encoding: 'utf8' }).stdout.trim()
      writeFileSync(join(dir, 'daemons'), `a ${ours} ${startOf(ours)}\nb ${stranger} ${Number(startOf(stranger)) - 1}\n`)
      expect(run('stop', dir).status).to.equal(0)
      const states = [ours, stranger].map((pid) => spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim())
      // Not reaped yet, since we are its parent and busy here.
      expect(states[0]).to.match(/^(Z.*)?$/)
      expect(states[1]).to.match(/^S/)
    } finally {
      for (const child of children) child.kill('SIGKILL')
      rmSync(dir, { recursive: true })
    }
  })

  it('conformance: one line of JSON, in which a provider that is there passes and one that is not is missing', () => {
    const there = run('status').stdout.includes('p11-kit installed')
    const args = [join(import.meta.dirname, 'hsm-conformance.ts'), '--json', '--provider', 'p11-kit']
    const { stdout, status } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    const { providers } = JSON.parse(stdout) as { providers: readonly object[] }
    expect(providers).to.deep.equal([{ name: 'p11-kit', status: there ? 'passed' : 'missing', tests: there ? 3 : 0 }])
    expect(status).to.equal(0)
  })
})
