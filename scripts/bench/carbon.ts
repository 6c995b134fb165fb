/** Drives @0xcarbon/dkls23-wasm by its public interface: the phases of its protocols as functions on plain values. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConclaveError, fromHex } from '@conclave/core'
import type { Costs, Subject } from './figures.ts'
import { Meter } from './meter.ts'
import { mustVerify } from './verify.ts'

const NAME = '0xcarbon'
const ID_BYTES = 32
const DIGEST = new Uint8Array(ID_BYTES).fill(9)

type Value = unknown
/** A message to one party; a value without `parties` goes to all. */
interface Addressed {
  readonly parties: { readonly sender: number; readonly receiver: number }
}

interface Library {
  initSync(wasm: Uint8Array): unknown
  phase1_wasm_binding(data: Value): string[]
  phase2_wasm_binding(data: Value, fragments: string[]): [Value, Value, Value, Addressed[], Value, { readonly sender_index: number }]
  phase3_wasm_binding(data: Value, zero: Value, chain: Value): [Value, Addressed[], Value, Addressed[], { readonly sender_index: number }]
  phase4_wasm_binding(...values: Value[]): Value
  sign_phase1(party: Value, data: Value): [Value, Value, Addressed[]]
  sign_phase2(party: Value, data: Value, unique: Value, kept: Value, received: Addressed[]): Value
  sign_phase3(party: Value, data: Value, unique: Value, kept: Value, received: Addressed[]): Value
  sign_phase4(party: Value, data: Value, x: string, received: Value[], normalize: boolean): Value
}

/** Its results say `Ok` or `Err`. */
function ok<T>(result: Value): T {
  const plain = (result instanceof Map ? Object.fromEntries(result) : result) as { readonly Ok?: T }
  if (plain.Ok === undefined) throw new ConclaveError('BENCH_PEER_FAILED', `${NAME} answered ${JSON.stringify(result)?.slice(0, 200)}`)
  return plain.Ok
}

/**
 * The fewest bytes that hold `value`: hexadecimal text as what it stands for, small numbers as one byte each, bits as bits, no names
 * and no lengths.
 */
export function packedBytes(value: Value): number {
  const sum = (values: Iterable<Value>) => [...values].reduce((total: number, v) => total + packedBytes(v), 0)
  if (typeof value === 'boolean') return 1 / 8
  if (typeof value === 'number') return 1
  if (typeof value === 'string') return /^([0-9a-f]{2})+$/i.test(value) ? value.length / 2 : Buffer.byteLength(value)
  if (value instanceof Map) return sum(value.values())
  return typeof value === 'object' && value !== null ? sum(Object.values(value)) : 0
}

/** As text: what a user of its values would send without thinking about it. */
const textBytes = (value: Value): number => Buffer.byteLength(JSON.stringify(value))

const inbox = <T extends Addressed>(lists: readonly (readonly T[])[], to: number): T[] =>
  lists.flat().filter((m) => m.parties.receiver === to)
const bySender = <T extends { readonly sender_index: number }>(list: readonly T[]) => new Map(list.map((m) => [m.sender_index, m]))

class Carbon {
  readonly #library: Library
  readonly #threshold: number
  readonly #parties: readonly number[]
  readonly #signers: readonly number[]
  #signatures = 0
  /** Of the last run. */
  packed = 0

  constructor(library: Library, threshold: number, parties: number) {
    this.#library = library
    this.#threshold = threshold
    this.#parties = Array.from({ length: parties }, (_, i) => i + 1)
    this.#signers = Array.from({ length: threshold }, (_, i) => 1 + Math.floor((i * (parties - 1)) / Math.max(1, threshold - 1)))
  }

  #count(meter: Meter, value: Value, receivers = 1): void {
    meter.sent(textBytes(value), receivers)
    this.packed += packedBytes(value) * receivers
  }

  keygen(): { readonly meter: Meter; readonly parties: readonly { readonly pk: string }[] } {
    const library = this.#library
    const others = this.#parties.length - 1
    const meter = new Meter(this.#parties.length)
    this.packed = 0
    const parameters = { threshold: this.#threshold, share_count: this.#parties.length }
    const data = this.#parties.map((party_index) => ({ parameters, party_index, session_id: Array(ID_BYTES).fill(7) }))
    const one = data.map((d) => meter.step(() => library.phase1_wasm_binding(d)))
    for (const fragments of one) this.#count(meter, fragments.slice(1))
    const two = data.map((d, i) =>
      meter.step(() =>
        library.phase2_wasm_binding(
          d,
          one.map((f) => f[i] as string),
        ),
      ),
    )
    for (const r of two) {
      for (const broadcast of [r[1], r[5]]) this.#count(meter, broadcast, others)
      this.#count(meter, r[3])
    }
    const three = data.map((d, i) => meter.step(() => library.phase3_wasm_binding(d, two[i]?.[2], two[i]?.[4])))
    for (const r of three) {
      this.#count(meter, r[4], others)
      for (const list of [r[1], r[3]]) this.#count(meter, list)
    }
    const proofs = two.map((r) => r[1])
    const zeros = [two.map((r) => r[3]), three.map((r) => r[1])] as const
    const chains = [bySender(two.map((r) => r[5])), bySender(three.map((r) => r[4]))] as const
    const parties = data.map((d, i) => {
      const [second, third, self] = [two[i], three[i], i + 1]
      const received = [inbox(zeros[0], self), inbox(zeros[1], self)]
      const multiplications = inbox(
        three.map((r) => r[3]),
        self,
      )
      return meter.step(() =>
        ok<{ readonly pk: string }>(
          library.phase4_wasm_binding(d, second?.[0], proofs, third?.[0], ...received, third?.[2], multiplications, ...chains),
        ),
      )
    })
    return { meter, parties }
  }

  sign(parties: readonly { readonly pk: string }[]): Costs {
    const library = this.#library
    const meter = new Meter(this.#signers.length)
    this.packed = 0
    const sign_id = [...Buffer.alloc(ID_BYTES, `signature ${this.#signatures++} `)]
    const quorum = this.#signers.map((self) => ({
      self,
      party: parties[self - 1] as { readonly pk: string },
      data: { sign_id, counterparties: this.#signers.filter((j) => j !== self), message_hash: [...DIGEST] },
    }))
    const one = quorum.map(({ party, data }) => meter.step(() => library.sign_phase1(party, data)))
    for (const r of one) this.#count(meter, r[2])
    const two = quorum.map(({ self, party, data }, i) => {
      const received = inbox(
        one.map((r) => r[2]),
        self,
      )
      return meter.step(() => ok<[Value, Value, Addressed[]]>(library.sign_phase2(party, data, one[i]?.[0], one[i]?.[1], received)))
    })
    for (const r of two) this.#count(meter, r[2])
    const three = quorum.map(({ self, party, data }, i) => {
      const received = inbox(
        two.map((r) => r[2]),
        self,
      )
      return meter.step(() => ok<[string, Value]>(library.sign_phase3(party, data, two[i]?.[0], two[i]?.[1], received)))
    })
    const last = three.map((r) => r[1])
    for (const value of last) this.#count(meter, value, this.#signers.length - 1)
    for (const [i, { party, data }] of quorum.entries()) {
      const x = three[i]?.[0] as string
      const [s] = meter.step(() => ok<[string, number]>(library.sign_phase4(party, data, x, last, true)))
      mustVerify(NAME, fromHex(party.pk.toLowerCase()), DIGEST, fromHex(`${x}${s}`))
    }
    return { signFull: meter.cost }
  }
}

/** @param home - the folder of the installed package. */
export async function carbon(home: string, version: string, threshold: number, parties: number): Promise<Subject> {
  const library = (await import(pathToFileURL(join(home, 'dkls23_wasm.js')).href)) as Library
  library.initSync(readFileSync(join(home, 'dkls23_wasm_bg.wasm')))
  const run = new Carbon(library, threshold, parties)
  const keys = run.keygen().parties
  run.sign(keys)
  const packed = run.packed
  return {
    name: NAME,
    version,
    notes: [
      `It hands over JavaScript values and leaves their encoding to its user. Bytes are those of JSON; packed as tightly as can be and without any framing a signature is at least ${Math.round(packed)} bytes.`,
      'Its encoding is not in its time, ours is in ours.',
    ],
    operations: [
      { figures: ['signFull'], batch: 1, run: () => run.sign(keys) },
      { figures: ['dkgWithPairSetup'], batch: 1, run: () => ({ dkgWithPairSetup: run.keygen().meter.cost }) },
    ],
  }
}
