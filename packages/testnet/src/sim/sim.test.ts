import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { childFlags } from './fleet.ts'
import { FAULTS } from './trace.ts'

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

/** In a process of its own: the model group replaces the real one in all of it. */
function node(script: string, ...args: readonly string[]): { readonly out: string; readonly status: number | null } {
  const { stdout, stderr, status } = spawnSync(process.execPath, [...childFlags({ real: false }), file(script), ...args], {
    encoding: 'utf8',
  })
  return { out: `${stdout}${stderr}`, status }
}

describe('sim', () => {
  it('sim: twenty seeds keep every invariant', () => {
    const { out, status } = node('./main.ts', '--runs', '20', '--json')
    const said = JSON.parse(out) as { runs: number; failures: readonly object[]; faults: Record<string, number>; elapsedMs: number }
    expect(said.failures, out).to.deep.equal([])
    expect(said.runs).to.equal(20)
    expect(said.faults).to.have.all.keys(...FAULTS)
    expect(said.elapsedMs).to.be.above(0)
    expect(status).to.equal(0)
  })

  it('sim: one seed gives one trace in two processes, byte for byte, and another seed another', () => {
    const traces = ['11', '11', '12'].map((seed) => node('./one.ts', seed, '', 'trace').out)
    expect(traces[0]).to.include('every invariant holds')
    expect(traces[0]?.split('\n').length).to.be.above(100)
    expect(traces[1]).to.equal(traces[0])
    expect(traces[2]).to.not.equal(traces[0])
  })

  it('forget-and-forgive: every node dies at every durable write of every protocol that touches keys, and no case is bad', () => {
    const { out, status } = node('./crash-matrix.ts', '--nodes', '3', '--json')
    const said = JSON.parse(out) as { cases: number; bad: readonly object[] }
    expect(said.bad, out).to.deep.equal([])
    // Three nodes and phases; three writes to make a key, five to renew one; two signers. Under a next lock the lock itself and new
    // pairs as well: five nodes with four pairs each, then three with two.
    const underOneLock = 3 * 3 * (3 + 3 * 5) + 2 * 3 * 2
    expect(said.cases).to.be.at.least(underOneLock + 5 * 3 * (1 + 4 + 5) + 3 * 3 * (1 + 2 + 5))
    expect(status).to.equal(0)
  })
})
