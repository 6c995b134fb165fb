import { tagged, u32, utf8 } from '@conclave/core'
import { CORRELATION_BYTES } from '@conclave/mpc'
import { silentLogger } from '@conclave/transport'
import type { CorrelateOffer, Response } from '@conclave/wire'
import { Calls, failureOf } from '../calls.ts'
import type { FakeClock } from '../sessions/jobs.fixture.ts'
import { type Batch, Refill, type WaterMarks } from './refill.ts'
import type { StockEntry } from './shelf.ts'
import { Stock } from './stock.ts'

export const PAIR = tagged('pair-a')

/** Lets everything happen that needs no timer. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise(setImmediate)
}

/** What both ends of a session get: the names follow from pair and nonce, as in the protocol. */
const entriesOf = ({ pairId, nonce, count }: Batch): readonly StockEntry[] =>
  Array.from({ length: count }, (_, k) => ({
    name: tagged('entry', pairId, nonce, u32(k)),
    secret: new Uint8Array(CORRELATION_BYTES).fill(k + 1),
  }))

/** One node's refill. Its calls are real and reach the other ends; sessions end when a test says so, at once unless told otherwise. */
export class RefillEnd {
  readonly stock = new Stock()
  readonly refill: Refill
  /** Pair states that count now, by peer. */
  readonly pairs = new Map<number, Uint8Array>()
  readonly offers: CorrelateOffer[] = []
  readonly batches: Batch[] = []
  readonly declined: Batch[] = []
  readonly calls: Calls
  idle = true
  /** What a session waits for before it ends, and what it gives. */
  session: (batch: Batch) => Promise<readonly StockEntry[]> = async (batch) => entriesOf(batch)
  nonce: () => Promise<Uint8Array> = async () => tagged('nonce', utf8(String(this.#self)), u32(this.#nonces++))
  /** Changes what the peer hears of an answer. */
  answers: (body: Response['body']) => Response['body'] = (body) => body
  readonly #self: number
  #nonces = 0

  constructor(self: number, clock: FakeClock, ends: Map<number, RefillEnd>, marks: WaterMarks) {
    this.#self = self
    ends.set(self, this)
    this.calls = new Calls(clock, (peer, { id, body }) => {
      if (!('correlateOffer' in body)) return
      this.offers.push(body.correlateOffer)
      const answered = (answer: Response['body']) => this.calls.answered(peer, { id, body: answer })
      const there = ends.get(peer)
      there?.refill.answer(self, body.correlateOffer).then(
        (correlateAccept) => answered(there.answers({ correlateAccept })),
        (error: unknown) => answered({ failure: failureOf(error) }),
      )
    })
    this.refill = new Refill({
      ...{ self, marks, stock: this.stock, calls: this.calls, clock, log: silentLogger },
      pairOf: (peer) => this.pairs.get(peer),
      isIdle: () => this.idle,
      nonce: () => this.nonce(),
      make: (_peer, batch) => {
        this.batches.push(batch)
        return this.session(batch)
      },
      decline: (_peer, batch) => this.declined.push(batch),
    })
  }

  up(peer: number, pairId: Uint8Array = PAIR): void {
    this.pairs.set(peer, pairId)
    this.refill.pairChanged(peer)
  }

  down(peer: number): void {
    this.pairs.delete(peer)
    this.refill.pairChanged(peer)
  }
}
