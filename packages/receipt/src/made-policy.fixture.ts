import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { concat, fromHex, ML_DSA_65_KEY_BYTES, tagged, toHex, u32, utf8 } from '@conclave/core'
import { type Approval, type ApprovalWord, approvalHash, type Policy, parsePolicy } from '@conclave/policy'
import { ed25519 } from '@noble/curves/ed25519.js'

/** Somebody with keys. */
export interface Person {
  readonly name: string
  /** As a policy names it. */
  readonly text: string
  readonly pqText: string
  sign(message: Uint8Array): Uint8Array
  signPq(message: Uint8Array): Uint8Array
}

/** PKCS #8 of a seed (RFC 9881). */
const ML_DSA_PKCS8 = fromHex('3034020100300b060960864801650304031204228020')

export function person(name: string, seed = name): Person {
  const secret = tagged('test-person', utf8(seed))
  const key = createPrivateKey({ key: Buffer.from(concat(ML_DSA_PKCS8, tagged('test-pq', utf8(seed)))), format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return {
    name,
    text: `ed25519:${toHex(ed25519.getPublicKey(secret))}`,
    pqText: `mldsa65:${spki.subarray(-ML_DSA_65_KEY_BYTES).toString('hex')}`,
    sign: (message) => ed25519.sign(message, secret),
    signPq: (message) => new Uint8Array(sign(null, message, key)),
  }
}

export const [EXCHANGE, DESK, ALICE, BOB, CAROL] = [person('exchange'), person('desk'), person('alice'), person('bob'), person('carol')]
export const APPROVERS: ReadonlyMap<string, Person> = new Map([ALICE, BOB, CAROL].map((p) => [p.name, p]))

const PAYEE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'

export interface PolicyShape {
  readonly sequence?: number
  /** Nobody signs requests. */
  readonly isOpen?: boolean
  /** Bob has an ML-DSA key. */
  readonly isPq?: boolean
}

/** Payments with two of three people. */
export function madePolicy({ sequence = 3, isOpen = false, isPq = false }: PolicyShape = {}): Policy {
  return parsePolicy(`version: 1
sequence: ${sequence}
${isOpen ? '' : `requesters: [{ name: exchange, key: "${EXCHANGE.text}" }, { name: desk, key: "${DESK.text}" }]`}
approvers:
  - { id: alice, groups: [treasury, risk], keys: ["${ALICE.text}"] }
  - { id: bob, groups: [treasury], keys: ["${BOB.text}"]${isPq ? `, pq: "${BOB.pqText}"` : ''} }
  - { id: carol, groups: [treasury], keys: ["${CAROL.text}"] }
rules:
  - { name: never, effect: deny, when: { keys: [cold] } }
  - name: pay-much
    effect: allow
    when: { chains: [31337], destinations: ['${PAYEE}'], amountMaxWei: '100000', approvals: { required: 2, of: [treasury] } }
`)
}

/** A yes of a person, with an ML-DSA signature where the policy asks for one. */
export function madeApproval(by: Person, statement: Uint8Array, { isPq = false, as = by.name, atMs = 7 } = {}): Approval {
  const word: ApprovalWord = { statement, decision: 'approve', approver: as, atMs }
  const evidence = { signature: by.sign(approvalHash(word)) }
  return { ...word, evidence, ...(isPq ? { pq: by.signPq(approvalHash(word)) } : {}) }
}

const rlp = (bytes: Uint8Array) =>
  bytes.length === 1 && (bytes[0] as number) < 0x80 ? bytes : concat(Uint8Array.of(0x80 + bytes.length), bytes)
const integer = (v: number) => {
  const bytes = u32(v)
  const at = bytes.findIndex((b) => b !== 0)
  return at < 0 ? new Uint8Array(0) : bytes.slice(at)
}

/** An unsigned EIP-1559 transfer. */
export function madePayment(wei: number): Uint8Array {
  const amounts = [31337, 0, 1, 10, 21000].map((v) => rlp(integer(v)))
  const body = concat(...amounts, rlp(fromHex(PAYEE.slice(2))), rlp(integer(wei)), Uint8Array.of(0x80, 0xc0))
  return concat(Uint8Array.of(0x02, 0xc0 + body.length), body)
}
