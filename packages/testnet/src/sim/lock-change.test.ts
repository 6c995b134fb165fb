import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { childFlags } from './fleet.ts'

const SCRIPT = fileURLToPath(new URL('./lock-change.fixture.ts', import.meta.url))
const STEPS = ['start', 'grown', 'shrunk', 'recovered'] as const

interface Step {
  readonly lock: number
  readonly required: number
  readonly seats: readonly string[]
  readonly epoch: number
  readonly publicKey: string
  readonly signed: boolean
  readonly between?: boolean
  readonly reshared?: boolean
  readonly epochsHere: readonly number[]
  readonly holders: number
  readonly made: boolean
  readonly madeByFewer: boolean
  readonly sharesOfLeavers: Readonly<Record<string, readonly number[]>>
  readonly madeWithLeavers: readonly number[]
}

describe('lock change', () => {
  let seen: Readonly<Record<(typeof STEPS)[number], Step>> & {
    readonly violations: readonly object[]
    readonly refused: readonly { readonly name: string; readonly refused: boolean; readonly up: readonly string[] }[]
  }
  before(() => {
    const { stdout, stderr } = spawnSync(process.execPath, [...childFlags({ real: false }), SCRIPT], { encoding: 'utf8' })
    expect(stderr).to.equal('')
    seen = JSON.parse(stdout) as typeof seen
  })

  const quorum = ({ required, seats }: Step) => `${required} of ${seats.join()}`

  it('lock change: 3 of 5 becomes 4 of 7, then 3 of 5 others with gaps, then a burnt-down node gets its seat back as somebody else', () => {
    expect(STEPS.map((s) => quorum(seen[s]))).to.deep.equal([
      '3 of n1,n2,n3,n4,n5',
      '4 of n1,n2,n3,n4,n5,n6-1,n7-1',
      '3 of n1,n3,n5,n6-1,n7-1',
      '3 of n1,n3,n5-1,n6-1,n7-1',
    ])
    expect(STEPS.map((s) => seen[s].lock)).to.deep.equal([1, 2, 3, 4])
    expect(seen.violations).to.deep.equal([])
  })

  it('lock change: the cluster signs between the lock and the reshare and after it, under one public key', () => {
    for (const step of STEPS.map((s) => seen[s])) {
      expect(step.signed).to.equal(true)
      expect(step.publicKey).to.equal(seen.start.publicKey)
      if (step.lock > 1) expect([step.between, step.reshared, step.epoch]).to.deep.equal([true, true, step.lock - 1])
    }
  })

  it('lock change: only the present epoch is left at members, any quorum of it makes the key, and one share fewer never does', () => {
    for (const { epoch, epochsHere, holders, seats, made, madeByFewer } of STEPS.map((s) => seen[s])) {
      expect(epochsHere).to.deep.equal([epoch])
      expect(holders).to.equal(seats.length)
      expect([made, madeByFewer]).to.deep.equal([true, false])
    }
  })

  it('lock change: leavers keep fewer shares of any epoch than can sign, and with one too few of the present ones they make nothing', () => {
    for (const step of [seen.shrunk, seen.recovered]) {
      // Two of epoch 1, of which four were needed; what burnt down is nowhere.
      expect(step.sharesOfLeavers).to.deep.equal({ 1: [2, 4] })
      expect(step.madeWithLeavers).to.deep.equal([])
    }
  })

  it('lock change: leavers that run on are refused by every member', () => {
    expect(seen.refused).to.deep.equal([
      { name: 'n2', refused: true, up: [] },
      { name: 'n4', refused: true, up: [] },
    ])
  })
})
