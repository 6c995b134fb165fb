import type { PartyId } from '@conclave/core'
import { verifies } from '@conclave/mpc'
import type { SignedItem } from '@conclave/wire'
import { OPEN_TERMS } from '../open-terms.ts'
import type { Dice } from './dice.ts'
import type { Driver } from './driver.ts'
import type { KeysBook, KnownKey, KnownRequest } from './keys-book.ts'

const PROPOSE_MS = 4_000
const SIGN_MS = 12_000
const CREATE_MS = 30_000
const PAUSE_MS = 800
const REPEATS = 3
const REPEAT_MS = 8_000

export interface Office {
  readonly driver: Driver
  readonly book: KeysBook
  readonly dice: Dice
}

/** Asks every party to make a key, a few times under a fresh nonce. @returns the key when all parties answered the same one. */
export async function createKey(
  { driver, book, dice }: Office,
  keyId: string,
  { parties, threshold }: { readonly parties: readonly PartyId[]; readonly threshold: number },
  tries: number,
): Promise<KnownKey | undefined> {
  const { timeline, trace } = driver.world
  for (let i = 0; i < tries; i++) {
    if (i > 0) await timeline.pause(PAUSE_MS)
    const answers = await driver.askAll(parties, { createKey: { keyId, nonce: dice.bytes(32), threshold, parties } }, CREATE_MS)
    const made = [...answers.values()].flatMap((a) => (a !== undefined && 'keyCreated' in a ? [a.keyCreated] : []))
    const codes = [...answers.values()].flatMap((a) => (a !== undefined && 'failure' in a ? [a.failure.code] : []))
    trace.note(`created ${keyId} by ${made.length} of ${parties.length} ${codes.join()}`)
    const [first] = made
    if (first !== undefined && made.length === parties.length && made.every((k) => Buffer.compare(k.publicKey, first.publicKey) === 0)) {
      const key = { keyId, publicKey: first.publicKey, epoch: first.epoch, threshold, parties }
      book.keys.set(keyId, key)
      return key
    }
    // It exists, or may come into being without us: another creation is not to be had.
    if (codes.some((c) => c === 'KEY_EXISTS' || c === 'KEY_PENDING')) return undefined
  }
  return undefined
}

/** Brings a request to the parties. @returns those that allow it. */
export async function propose({ driver }: Office, request: KnownRequest, parties: readonly PartyId[]): Promise<readonly PartyId[]> {
  const { requestId, keyId, items } = request
  const answers = await driver.askAll(
    parties,
    { propose: { requestId, keyId, payloadType: 'evm.tx', items, terms: OPEN_TERMS } },
    PROPOSE_MS,
  )
  return parties.filter((j) => {
    const answer = answers.get(j)
    return answer !== undefined && 'verdict' in answer && answer.verdict.allowed
  })
}

/** One attempt by exactly these signers. @returns signatures of all items that verify, if one of them answered them. */
export async function attempt(
  { driver }: Office,
  key: KnownKey,
  request: KnownRequest,
  signers: readonly PartyId[],
  number: number,
): Promise<readonly SignedItem[] | undefined> {
  const sign = { requestId: request.requestId, attempt: number, signers, epoch: key.epoch }
  const answers = await driver.askAll(signers, { sign }, SIGN_MS)
  const told = [...answers].map(([j, a]) => `${j}:${a === undefined ? 'silent' : 'failure' in a ? a.failure.code : 'signed'}`)
  driver.world.trace.note(`attempt ${number} of ${key.keyId} ${told.join(' ')}`)
  for (const answer of answers.values()) {
    if (answer === undefined || !('signed' in answer)) continue
    const { items } = answer.signed
    if (items.length === request.items.length && items.every((s) => verifies(key.publicKey, s.digest, s.signature))) return items
  }
  return undefined
}

const quorumOf = (dice: Dice, allowing: readonly PartyId[], threshold: number): readonly PartyId[] =>
  dice
    .shuffle(allowing)
    .slice(0, threshold)
    .sort((a, b) => a - b)

/** Asks for an attempt again and again, whatever came of it: a coordinator that has lost its memory. */
async function repeat(office: Office, key: KnownKey, request: KnownRequest, signers: readonly PartyId[], number: number): Promise<void> {
  const { timeline, trace } = office.driver.world
  for (let i = 0; i < REPEATS; i++) {
    await timeline.pause(REPEAT_MS * office.dice.float())
    trace.fault('repeated-attempt', `${key.keyId} attempt ${number}`)
    await attempt(office, key, request, signers, number)
  }
}

/**
 * Has a request signed: proposes it, then attempts with one quorum after another.
 *
 * A hasty coordinator gives one attempt number to two quorums at once and asks for it again later, which the nodes must see through.
 */
export async function signWith(
  office: Office,
  key: KnownKey,
  options: { readonly among: readonly PartyId[]; readonly tries: number; readonly hasty: boolean },
): Promise<readonly SignedItem[] | undefined> {
  const { driver, book, dice } = office
  const { timeline, trace } = driver.world
  const request = book.newRequest(key.keyId)
  for (let i = 0; i < options.tries; i++) {
    if (i > 0) await timeline.pause(PAUSE_MS)
    const allowing = await propose(office, request, options.among)
    if (allowing.length < key.threshold) continue
    const number = request.attempts++
    const signers = quorumOf(dice, allowing, key.threshold)
    const runs = [attempt(office, key, request, signers, number)]
    if (options.hasty) {
      trace.fault('hasty-coordinator', `${key.keyId} attempt ${number}`)
      runs.push(attempt(office, key, request, quorumOf(dice, allowing, key.threshold), number))
    }
    const signed = (await Promise.all(runs)).find((s) => s !== undefined)
    if (options.hasty) void repeat(office, key, request, signers, number)
    if (signed !== undefined) return signed
  }
  return undefined
}
