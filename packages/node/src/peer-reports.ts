import { type Clock, codeOf, fromHex, type PartyId, tagged, toHex, utf8 } from '@conclave/core'
import type { HsmHealth, KeyVault } from '@conclave/vault'
import type { PeerReport } from '@conclave/wire'
import type { Calls } from './calls.ts'
import { VERSION } from './node-status.ts'

const CALL_TIMEOUT_MS = 3_000
/** The quickest of a few: its answer says most about the peer's clock. */
const ATTEMPTS = 3
/** Whatever peers ask, the HSMs are not asked more often. */
const MARKS_KEPT_MS = 10_000
/** Hex: eight bytes. */
const KEK_ID_CHARS_MIN = 16
const HELD_MS_MAX = 2 ** 32 - 1

/** What a peer said of itself over the link that its identity key opened, and what that means for its clock. */
export interface PeerWord {
  /** How far the peer's clock is ahead of ours; wrong by half of the round trip at most. */
  readonly offsetMs: number
  readonly roundTripMs: number
  readonly version: string
  /** Hex. */
  readonly hsms: readonly string[]
}

/**
 * What shows that two nodes seal with one key of one token, and nothing else: the id that our ceremony gives a KEK is random, so nobody
 * finds a serial by trying. NSS and TPM give all their tokens one serial, so a short id, as people choose them, would name others, too.
 *
 * @returns hex, undefined for an HSM that is down or whose KEK has a short id.
 */
export function hsmMark(clusterId: string, { key }: Pick<HsmHealth, 'key'>): string | undefined {
  if (key === undefined || key.kekId.length < KEK_ID_CHARS_MIN) return undefined
  const parts = [fromHex(clusterId), tagged('hsm-mark-part', utf8(key.tokenSerial)), tagged('hsm-mark-part', utf8(key.kekId))]
  return toHex(tagged('hsm-mark', ...parts))
}

export interface PeerReportsOptions {
  readonly clusterId: string
  readonly vault: KeyVault
  readonly calls: Calls
  readonly clock: Clock
}

/** Short reports by which nodes find out what neither sees alone: clocks that differ, versions that differ, one token for two. */
export class PeerReports {
  readonly #o: PeerReportsOptions
  #marks: { readonly atMs: number; readonly marks: Promise<readonly string[]> } | undefined

  constructor(options: PeerReportsOptions) {
    this.#o = options
  }

  /** What this node tells a peer. */
  async answer(): Promise<PeerReport> {
    const { clock } = this.#o
    const heardMs = clock.nowMs()
    const marks = await this.#marksNow(heardMs)
    const nowMs = clock.nowMs()
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setBigUint64(0, BigInt(Math.round(nowMs)))
    const heldMs = Math.min(HELD_MS_MAX, Math.max(0, Math.round(nowMs - heardMs)))
    return { clock: bytes, heldMs, version: VERSION, hsms: marks.map((mark) => fromHex(mark)) }
  }

  /** Asks a peer a few times. @returns the code of the failure when it does not answer once. */
  async ask(peer: PartyId): Promise<PeerWord | string> {
    let best: PeerWord | string = 'CALL_TIMEOUT'
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const word = await this.#askOnce(peer).catch(codeOf)
      if (typeof word === 'string') return typeof best === 'string' ? word : best
      if (typeof best === 'string' || word.roundTripMs < best.roundTripMs) best = word
    }
    return best
  }

  async #askOnce(peer: PartyId): Promise<PeerWord | string> {
    const { calls, clock } = this.#o
    const sentMs = clock.nowMs()
    const body = await calls.call(peer, { peerReport: {} }, CALL_TIMEOUT_MS)
    const heardMs = clock.nowMs()
    if (!('peerReport' in body)) return 'UNEXPECTED_ANSWER'
    const { clock: theirs, heldMs, version, hsms } = body.peerReport
    const answeredMs = Number(new DataView(theirs.buffer, theirs.byteOffset, 8).getBigUint64(0))
    const roundTripMs = Math.max(0, heardMs - sentMs - heldMs)
    return { offsetMs: Math.round(answeredMs - (heardMs - roundTripMs / 2)), roundTripMs, version, hsms: hsms.map((mark) => toHex(mark)) }
  }

  #marksNow(nowMs: number): Promise<readonly string[]> {
    const { clusterId, vault } = this.#o
    if (this.#marks === undefined || Math.abs(nowMs - this.#marks.atMs) >= MARKS_KEPT_MS) {
      const marks = vault.health().then((health) => health.flatMap((h) => hsmMark(clusterId, h) ?? []))
      this.#marks = { atMs: nowMs, marks }
    }
    return this.#marks.marks
  }
}
