import { tagged, toHex } from '@conclave/core'
import { type Propose, timeBytes } from '@conclave/wire'
import { transfer } from '../requests.fixture.ts'
import { type CoordinatorAttack, OTHER_KEY, SIGNERS } from './hostile-coordinator.fixture.ts'
import { DESK, MALLORY } from './people.fixture.ts'

const PAST_MS = 1_000_000_000_000

const resigned = (p: Propose, change: Partial<Propose>): Propose => ({ ...p, ...change })
const withTerms = (p: Propose, change: Partial<Propose['terms']>): Propose => ({ ...p, terms: { ...p.terms, ...change } })
const NOBODY = new Uint8Array(0)

/** With the request as the platform never signed it. */
export const REQUEST_ATTACKS: readonly CoordinatorAttack[] = [
  { name: 'request without a signature', code: 'REQUEST_UNSIGNED', run: (h) => h.attempt(withTerms(h.asked(), { signature: NOBODY })) },
  {
    name: 'invented request',
    code: 'REQUEST_SIGNATURE',
    run: (h) => {
      const p = h.asked()
      return h.attempt(withTerms(p, { signature: MALLORY.sign(p.requestId) }))
    },
  },
  { name: 'requester that nobody named', code: 'UNKNOWN_REQUESTER', run: (h) => h.attempt(h.asked({ by: MALLORY })) },
  {
    name: 'signature of another requester',
    code: 'REQUEST_SIGNATURE',
    run: (h) => {
      const p = h.asked()
      return h.attempt(withTerms(p, { signature: DESK.sign(p.requestId) }))
    },
  },
  {
    name: 'another transaction under a signed request',
    code: 'REQUEST_ID',
    run: (h) => h.attempt(resigned(h.asked(), { items: [{ payload: transfer(6n), path: [] }] })),
  },
  {
    name: 'another child key under a signed request',
    code: 'REQUEST_ID',
    run: (h) => {
      const p = h.asked()
      return h.attempt(resigned(p, { items: p.items.map((item) => ({ ...item, path: [0] })) }))
    },
  },
  { name: 'another key under a signed request', code: 'REQUEST_ID', run: (h) => h.attempt(resigned(h.asked(), { keyId: OTHER_KEY })) },
  { name: 'another payload type', code: 'REQUEST_ID', run: (h) => h.attempt(resigned(h.asked(), { payloadType: 'raw' })) },
  { name: 'another request id', code: 'REQUEST_ID', run: (h) => h.attempt(resigned(h.asked(), { requestId: tagged('another id') })) },
  {
    name: 'one transaction more',
    code: 'REQUEST_ID',
    run: (h) => {
      const p = h.asked()
      return h.attempt(resigned(p, { items: [...p.items, ...p.items] }))
    },
  },
  {
    name: 'one transaction less',
    code: 'REQUEST_ID',
    run: (h) => {
      const p = h.asked({ payloads: [transfer(1n), transfer(2n)] })
      return h.attempt(resigned(p, { items: p.items.slice(1) }))
    },
  },
  {
    name: 'other order of transactions',
    code: 'REQUEST_ID',
    run: (h) => {
      const p = h.asked({ payloads: [transfer(1n), transfer(2n)] })
      return h.attempt(resigned(p, { items: p.items.toReversed() }))
    },
  },
  {
    name: 'request of another cluster',
    code: 'REQUEST_ID',
    run: (h) => h.attempt(h.asked({ clusterId: toHex(tagged('another cluster')) })),
  },
  { name: 'replay after expiry', code: 'REQUEST_EXPIRED', run: (h) => h.attempt(h.asked({ expiresAtMs: PAST_MS })) },
  {
    name: 'longer time than was signed',
    code: 'REQUEST_ID',
    run: (h) => h.attempt(withTerms(h.asked({ expiresAtMs: PAST_MS }), { expiresAt: timeBytes(Number.MAX_SAFE_INTEGER) })),
  },
  {
    name: 'request before its time',
    code: 'REQUEST_TOO_EARLY',
    run: (h) => h.attempt(h.asked({ notBeforeMs: Number.MAX_SAFE_INTEGER - 1 })),
  },
  {
    name: 'nonce for a second request',
    code: 'NONCE_REUSED',
    run: async (h) => {
      const nonce = tagged('one nonce')
      await h.verdict(h.asked({ nonce }))
      return (await h.verdict(h.asked({ nonce, payloads: [transfer(6n)] }))).code
    },
  },
  { name: 'epoch of the future', code: 'EPOCH_MISMATCH', run: (h) => h.attempt(h.asked({ keyEpoch: 9 })) },
  {
    name: 'more than the policy allows',
    code: 'AMOUNT_OVER_LIMIT',
    run: (h) => h.attempt(h.asked({ payloads: [transfer(100_001n)] })),
  },
  {
    name: 'a denied transaction beside an allowed one',
    code: 'AMOUNT_OVER_LIMIT',
    run: (h) => h.attempt(h.asked({ payloads: [transfer(1n), transfer(100_001n)] })),
  },
]

/** With the session. */
export const SESSION_ATTACKS: readonly CoordinatorAttack[] = [
  { name: 'signature without a proposal', code: 'UNKNOWN_REQUEST', run: (h) => h.sign(tagged('never proposed')) },
  {
    name: 'proposal to one signer only',
    code: 'UNKNOWN_REQUEST',
    run: async (h) => {
      const p = h.asked()
      await h.verdict(p, 1)
      return h.sign(p.requestId)
    },
  },
  {
    name: 'quorum below the threshold',
    code: 'BAD_QUORUM',
    run: async (h) => {
      const p = h.asked()
      for (const node of SIGNERS) await h.verdict(p, node)
      return h.sign(p.requestId, { signers: [1] })
    },
  },
  {
    name: 'replay of a signed attempt',
    code: 'ATTEMPT_SPENT',
    run: async (h) => {
      const p = h.asked()
      await h.honest(p, 0)
      return h.sign(p.requestId, { attempt: 0 })
    },
  },
  {
    name: 'one attempt under two epochs',
    code: 'EPOCH_MISMATCH',
    run: async (h) => {
      const p = h.asked()
      for (const node of SIGNERS) await h.verdict(p, node)
      return h.sign(p.requestId, { epoch: 3 })
    },
  },
]
