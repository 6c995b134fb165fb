import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { expect } from 'chai'

const SETUP = join(import.meta.dirname, 'setup.sh')

/** Runs set-up on a machine whose `node` is the given shell script. */
function setUpWith(node: string) {
  const dir = mkdtempSync(join(tmpdir(), 'conclave-setup-test-'))
  writeFileSync(join(dir, 'node'), `#!/bin/sh\n${node}\n`, { mode: 0o755 })
  const run = spawnSync(SETUP, { env: { PATH: [dir, '/usr/bin', '/bin'].join(delimiter) }, encoding: 'utf8' })
  rmSync(dir, { recursive: true })
  return run
}

describe('setup', () => {
  it('a Node that is too old is refused in one line, on stderr', () => {
    const run = setUpWith('echo 18.20.8')
    expect(run.status).to.equal(1)
    expect(run.stdout).to.equal('')
    expect(run.stderr).to.equal('setup: Node 18.20.8 is too old: install Node 20 or newer and run this again\n')
  })

  it('a Node that does not run is refused', () => {
    const run = setUpWith('exit 126')
    expect(run.status).to.equal(1)
    expect(run.stderr).to.equal('setup: node does not run\n')
  })
})
