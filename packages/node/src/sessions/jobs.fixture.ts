import { tagged, u32, utf8 } from '@conclave/core'
import { SCOPE } from '../store/dkg.fixture.ts'
import type { DealJob, OpenedRecord, PairJob, SignJob } from './job.ts'
import type { SessionHandlers } from './session-pool.ts'

/** A clock whose time a test moves. */
export class FakeClock {
  now = 1_000_000
  #timers: { atMs: number; fire: () => void }[] = []

  nowMs(): number {
    return this.now
  }

  after(delayMs: number, fire: () => void): () => void {
    const timer = { atMs: this.now + delayMs, fire }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((t) => t !== timer)
    }
  }

  advance(ms: number): void {
    this.now += ms
    const due = this.#timers.filter((t) => t.atMs <= this.now)
    this.#timers = this.#timers.filter((t) => t.atMs > this.now)
    for (const t of due) t.fire()
  }

  get open(): number {
    return this.#timers.length
  }

  /** How long until the next timer. */
  get nextMs(): number {
    return Math.min(...this.#timers.map((t) => t.atMs)) - this.now
  }
}

export const seed = (i: number): Uint8Array => tagged('test-seed', u32(i))

export const pairJob = (self: number, peer: number, nonce: string): PairJob => ({
  ...{ kind: 'pair', self, peer, clusterContext: SCOPE.clusterContext, pairEpoch: 1 },
  nonce: tagged('nonce', utf8(nonce)),
})

export const dkgJob = (self: number, keyId: string): DealJob => ({
  ...{
    kind: 'deal',
    self,
    parties: [1, 2],
    threshold: 2,
    epoch: 0,
    dealing: { kind: 'create' },
    clusterContext: SCOPE.clusterContext,
    keyId,
    identities: SCOPE.identities,
  },
  nonce: tagged('nonce', utf8(keyId)),
})

export const opened = (length: number): OpenedRecord => ({ public: new Uint8Array(8), secret: new Uint8Array(length).fill(7) })

/** Its share is no share, so it fails as soon as a worker has it. */
export const brokenSignJob = (): SignJob => ({
  ...{ kind: 'sign', self: 1, clusterContext: SCOPE.clusterContext, share: opened(64), pairs: new Map([[2, opened(99)]]) },
  ...{ offers: new Map(), stocked: new Set() },
  request: {
    ...{ requestId: tagged('r'), statement: tagged('s'), signers: [1, 2] },
    items: [{ digest: tagged('d'), path: [] }],
    purpose: 'evm.tx',
    attempt: 0,
  },
})

/** The same with correlations for both peers: there is nothing that its session would have to make. */
export const shortSignJob = (): SignJob => {
  const { request, ...rest } = brokenSignJob()
  return {
    ...{ ...rest, self: 2, request: { ...request, signers: [1, 2, 3] } },
    pairs: new Map([1, 3].map((j) => [j, opened(99)])),
    offers: new Map([[3, [{ name: tagged('entry'), secret: new Uint8Array(8).fill(7) }]]]),
    stocked: new Set([1]),
  }
}

export const deaf: SessionHandlers = { send: () => undefined, waiting: () => undefined }
