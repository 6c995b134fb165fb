import { createHash, createPrivateKey, createPublicKey, sign as nodeSign } from 'node:crypto'
import { concat, fromHex, ML_DSA_65_KEY_BYTES, payloadHash, requestIdOf, tagged, toHex, u64, utf8 } from '@conclave/core'
import { type ApprovalWord, approvalHash, type Policy, parsePolicy } from '@conclave/policy'
import { type Approval, msOf, type Propose, type RequestTerms, timeBytes } from '@conclave/wire'
import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { ALLOWED } from '../members.fixture.ts'

const NONE = new Uint8Array(0)

/** A person or a platform with an Ed25519 key. */
export interface Person {
  readonly name: string
  readonly text: string
  sign(message: Uint8Array): Uint8Array
  /** With an ML-DSA-65 key, where the person has one. */
  signPq?(message: Uint8Array): Uint8Array
}

export function person(name: string, seed = name): Person {
  const secret = tagged('test-person', utf8(seed))
  return { name, text: `ed25519:${toHex(ed25519.getPublicKey(secret))}`, sign: (message) => ed25519.sign(message, secret) }
}

/** PKCS #8 of a seed (RFC 9881). */
const ML_DSA_PKCS8 = fromHex('3034020100300b060960864801650304031204228020')

export interface PqPerson extends Person {
  readonly pqText: string
  signPq(message: Uint8Array): Uint8Array
}

/** With an ML-DSA-65 key beside the other one. */
export function pqPerson(name: string): PqPerson {
  const seed = concat(ML_DSA_PKCS8, tagged('test-pq-person', utf8(name)))
  const key = createPrivateKey({ key: Buffer.from(seed), format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  const pqText = `mldsa65:${spki.subarray(-ML_DSA_65_KEY_BYTES).toString('hex')}`
  return { ...person(name), pqText, signPq: (message) => new Uint8Array(nodeSign(null, message, key)) }
}

export const ERIN = pqPerson('erin')

export const [EXCHANGE, DESK, ALICE, ALICE_TOO, BOB, DAVE, MALLORY] = [
  person('exchange'),
  person('desk'),
  person('alice'),
  person('alice', 'her other key'),
  person('bob'),
  person('dave'),
  person('mallory'),
]

export const ORIGIN = 'https://approve.example.org'
export const RP_ID = 'example.org'

/** An authenticator that answers as WebAuthn 2, 6.3.3 says, with an ES256 key. */
export class Authenticator {
  readonly #secret = tagged('test-passkey')

  /** COSE, hex. */
  get key(): string {
    const point = p256.getPublicKey(this.#secret, false)
    return toHex(concat(fromHex('a5010203262001215820'), point.subarray(1, 33), fromHex('225820'), point.subarray(33)))
  }

  get(challenge: Uint8Array, { origin = ORIGIN, rpId = RP_ID, flags = 0x05, type = 'webauthn.get' } = {}) {
    const encoded = Buffer.from(challenge).toString('base64url')
    const clientData = utf8(JSON.stringify({ type, challenge: encoded, origin, crossOrigin: false }))
    const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest())
    const authenticatorData = concat(sha256(utf8(rpId)), Uint8Array.of(flags, 0, 0, 0, 7))
    const point = p256.getPublicKey(this.#secret, false)
    const jwk = {
      kty: 'EC',
      crv: 'P-256',
      x: base64url(point.subarray(1, 33)),
      y: base64url(point.subarray(33)),
      d: base64url(this.#secret),
    }
    const key = createPrivateKey({ key: jwk, format: 'jwk' })
    return {
      authenticatorData,
      clientData,
      signature: new Uint8Array(nodeSign('sha256', concat(authenticatorData, sha256(clientData)), key)),
    }
  }
}

const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')

export const CAROLS = new Authenticator()

/** Small payments of signed requests by themselves; large ones with two of the treasury; Dave is an approver and asks too. */
export const peopleText = (sequence: number) => `
version: 1
sequence: ${sequence}
requesters:
  - { name: exchange, key: "${EXCHANGE.text}" }
  - { name: desk, key: "${DESK.text}" }
  - { name: dave, key: "${DAVE.text.replace(/.{64}$/, person('dave', 'his platform').text.slice(-64))}" }
approvers:
  - { id: alice, groups: [treasury], keys: ["${ALICE.text}", "${ALICE_TOO.text}"] }
  - { id: bob, groups: [treasury], keys: ["${BOB.text}"] }
  - { id: carol, groups: [treasury], keys: [{ webauthn: { rpId: ${RP_ID}, origin: "${ORIGIN}", key: "${CAROLS.key}" } }] }
  - { id: dave, groups: [treasury], keys: ["${DAVE.text}"] }
  - { id: erin, groups: [treasury], keys: ["${ERIN.text}"], pq: "${ERIN.pqText}" }
rules:
  - name: pay
    effect: allow
    when: { chains: [31337], destinations: ['${ALLOWED}'], amountMaxWei: '1000', feeMaxWei: '1000000000000000000' }
  - name: pay-much
    effect: allow
    when:
      { chains: [31337], destinations: ['${ALLOWED}'], amountMaxWei: '100000', feeMaxWei: '1000000000000000000', approvals: { required: 2, of: [treasury] } }
`

export const peoplePolicy = (sequence = 1): Policy => parsePolicy(peopleText(sequence))

export const DAVES_PLATFORM = person('dave', 'his platform')

export interface Asked {
  readonly clusterId: string
  readonly keyId: string
  readonly payloads: readonly Uint8Array[]
  readonly by?: Person
  readonly nonce?: Uint8Array
  readonly notBeforeMs?: number
  readonly expiresAtMs?: number
  readonly keyEpoch?: number
  readonly path?: readonly number[]
}

let nonces = 0

/** A request as a platform signs it. */
export function signedProposal(asked: Asked): Propose {
  const { clusterId, keyId, payloads, by = EXCHANGE, keyEpoch = 0, notBeforeMs = 0, expiresAtMs = Number.MAX_SAFE_INTEGER } = asked
  const nonce = asked.nonce ?? tagged('test-nonce', u64(++nonces))
  const items = payloads.map((payload) => ({ payload, path: asked.path ?? [] }))
  const said = { requester: by.name, nonce, notBeforeMs, expiresAtMs }
  const named = items.map(({ payload, path }) => ({ payloadHash: payloadHash(payload), path }))
  const requestId = requestIdOf({ clusterId: fromHex(clusterId), keyId, payloadType: 'evm.tx', items: named, ...said })
  const times = { notBefore: timeBytes(notBeforeMs), expiresAt: timeBytes(expiresAtMs) }
  const terms: RequestTerms = { requester: by.name, nonce, ...times, keyEpoch, signature: by.sign(requestId) }
  return { requestId, keyId, payloadType: 'evm.tx', items, terms }
}

export interface ApprovalChange {
  readonly decision?: 'approve' | 'reject'
  readonly as?: string
  readonly atMs?: number
}

/** What a person says of a statement. */
export function approval(requestId: Uint8Array, statement: Uint8Array, by: Person, change: ApprovalChange = {}): Approval {
  const word: ApprovalWord = { statement, decision: change.decision ?? 'approve', approver: change.as ?? by.name, atMs: change.atMs ?? 1 }
  const said = { requestId, statement, approves: word.decision === 'approve', approver: word.approver, at: timeBytes(word.atMs) }
  return {
    ...said,
    signature: by.sign(approvalHash(word)),
    authenticatorData: NONE,
    clientData: NONE,
    pq: by.signPq?.(approvalHash(word)) ?? NONE,
  }
}

/** Carol's, with her passkey. */
export function passkeyApproval(requestId: Uint8Array, statement: Uint8Array, change: Parameters<Authenticator['get']>[1] = {}): Approval {
  const word: ApprovalWord = { statement, decision: 'approve', approver: 'carol', atMs: 1 }
  return { requestId, statement, approves: true, approver: 'carol', at: timeBytes(1), pq: NONE, ...CAROLS.get(approvalHash(word), change) }
}

/** The same word with something else in it than what was signed. */
export const altered = (a: Approval, change: Partial<Approval>): Approval => ({ ...a, ...change })
export const later = (a: Approval): Approval => altered(a, { at: timeBytes(msOf(a.at) + 1) })
