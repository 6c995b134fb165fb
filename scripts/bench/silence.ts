/** Drives @silencelaboratories/dkls-wasm-ll-node by its public interface. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Costs, Subject } from './figures.ts'
import { Meter, sumCosts } from './meter.ts'
import { mustVerify } from './verify.ts'

const NAME = 'silencelaboratories'
const DIGEST = new Uint8Array(32).fill(9)

interface Message {
  readonly from_id: number
  readonly to_id?: number
  readonly payload: Uint8Array
  free(): void
}

interface Share {
  readonly publicKey: Uint8Array
  toBytes(): Uint8Array
}

interface Keygen {
  createFirstMessage(): Message
  calculateChainCodeCommitment(): Uint8Array
  handleMessages(messages: Message[], commitments?: Uint8Array[]): Message[]
  keyshare(): Share
}

interface Signing {
  createFirstMessage(): Message
  handleMessages(messages: Message[]): Message[]
  lastMessage(digest: Uint8Array): Message
  combine(messages: Message[]): [Uint8Array, Uint8Array]
}

interface Library {
  readonly KeygenSession: new (parties: number, threshold: number, party: number) => Keygen
  readonly Keyshare: { fromBytes(bytes: Uint8Array): Share }
  readonly SignSession: new (share: Share, path: string) => Signing
  readonly Message: new (payload: Uint8Array, from: number, to?: number) => Message
}

/** A message on its way: the library's own bytes and addresses. */
interface Letter {
  readonly from: number
  readonly to: number | undefined
  readonly payload: Uint8Array
}

/** Takes the bytes out of the library's memory, as a sender would. */
function toLetters(messages: readonly Message[]): readonly Letter[] {
  return messages.map((m) => {
    const letter = { from: m.from_id, to: m.to_id, payload: m.payload }
    m.free()
    return letter
  })
}

/** One round: what was sent before goes to `self`, and what it says next comes back. */
type Handle = (messages: Message[]) => Message[]

class Table {
  readonly #library: Library
  readonly #parties: readonly number[]
  letters: readonly Letter[] = []

  constructor(library: Library, parties: readonly number[]) {
    this.#library = library
    this.#parties = parties
  }

  /** Every party in turn gets what is for it and says something new; `handle` is given the party's place. */
  round(meter: Meter, handle: (place: number) => Handle): void {
    const { Message } = this.#library
    const next = this.#parties.flatMap((self, place) => {
      const mine = this.letters.filter((l) => l.from !== self && (l.to === undefined || l.to === self))
      for (const l of mine) meter.sent(l.payload.length)
      return meter.step(() => toLetters(handle(place)(mine.map((l) => new Message(l.payload, l.from, l.to)))))
    })
    this.letters = next
  }
}

function keygen(library: Library, threshold: number, parties: number): { readonly cost: Meter; readonly shares: readonly Share[] } {
  const meter = new Meter(parties)
  const all = Array.from({ length: parties }, (_, i) => i)
  const sessions = all.map((i) => meter.step(() => new library.KeygenSession(parties, threshold, i)))
  const table = new Table(library, all)
  const at = (i: number) => sessions[i] as Keygen
  table.round(meter, (i) => () => [at(i).createFirstMessage()])
  table.round(meter, (i) => (m) => at(i).handleMessages(m))
  const commitments = sessions.map((s) => meter.step(() => s.calculateChainCodeCommitment()))
  for (const commitment of commitments) meter.sent(commitment.length, parties - 1)
  table.round(meter, (i) => (m) => at(i).handleMessages(m))
  table.round(meter, (i) => (m) => at(i).handleMessages(m, commitments))
  table.round(meter, (i) => (m) => at(i).handleMessages(m))
  return { cost: meter, shares: sessions.map((s) => meter.step(() => s.keyshare())) }
}

/** One signature by the parties whose saved shares these are. */
function sign(library: Library, shares: readonly Uint8Array[], signers: readonly number[], publicKey: Uint8Array): Costs {
  const [load, presign, online] = [new Meter(signers.length), new Meter(signers.length), new Meter(signers.length)]
  const sessions = signers.map((i) => load.step(() => new library.SignSession(library.Keyshare.fromBytes(shares[i] as Uint8Array), 'm')))
  const at = (i: number) => sessions[i] as Signing
  const table = new Table(library, signers)
  table.round(presign, (i) => () => [at(i).createFirstMessage()])
  table.round(presign, (i) => (m) => at(i).handleMessages(m))
  table.round(presign, (i) => (m) => at(i).handleMessages(m))
  table.round(presign, (i) => (m) => at(i).handleMessages(m))
  table.round(online, (i) => () => [at(i).lastMessage(DIGEST)])
  const signatures: (readonly [Uint8Array, Uint8Array])[] = []
  table.round(online, (i) => (m) => {
    signatures.push(at(i).combine(m))
    return []
  })
  for (const [r, s] of signatures) mustVerify(NAME, publicKey, DIGEST, Uint8Array.from([...r, ...s]))
  return { loadShare: load.cost, presign: presign.cost, signOnline: online.cost, signFull: sumCosts([presign.cost, online.cost]) }
}

/** @param home - the folder of the installed package. */
export async function silence(home: string, version: string, threshold: number, parties: number): Promise<Subject> {
  const library = createRequire(join(home, 'package.json'))(home) as Library
  const { shares } = keygen(library, threshold, parties)
  const [publicKey, saved] = [shares[0]?.publicKey as Uint8Array, shares.map((s) => s.toBytes())]
  // Parties 0, 2, 4 of five: a quorum with gaps, as ours.
  const signers = Array.from({ length: threshold }, (_, i) => Math.floor((i * (parties - 1)) / Math.max(1, threshold - 1)))
  return {
    name: NAME,
    version,
    notes: [
      'Bytes are the payloads of its messages.',
      'Its signature does not count the loading of the key share, although the interface uses the share up and it has to be loaded for each.',
      'Its presignature belongs to one key and one quorum; an entry of our pool belongs to a pair of nodes and serves any of their keys.',
    ],
    operations: [
      {
        figures: ['signFull', 'presign', 'signOnline', 'loadShare'],
        batch: 1,
        run: () => sign(library, saved, signers, publicKey),
      },
      { figures: ['dkgWithPairSetup'], batch: 1, run: () => ({ dkgWithPairSetup: keygen(library, threshold, parties).cost.cost }) },
    ],
  }
}
