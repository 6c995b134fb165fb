import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AuditLog, encodeEntry } from '@conclave/audit'
import { CLUSTER_ID, NOW_MS, NOW_S, openLog, signedCheckpoint, signerOf, testEntry, testLock } from '@conclave/audit/testing'
import {
  type AuditEvent,
  type CertifiedKey,
  certificateHash,
  clusterContext,
  type DerivationPath,
  deriveChild,
  formatPath,
  fromHex,
  type PartyId,
  payloadHash,
  type RequestTerms,
  requestIdOf,
  tagged,
  toHex,
  utf8,
} from '@conclave/core'
import {
  decodePayload,
  digestsAt,
  encodeStatement,
  narrowOpening,
  openPolicy,
  type Policy,
  policyHash,
  type Statement,
  statementHash,
  statementOf,
  summaryHash,
} from '@conclave/policy'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { APPROVERS, EXCHANGE, madeApproval, madePayment, madePolicy, type PolicyShape } from './made-policy.fixture.ts'
import { shownApproval, shownPolicy } from './people.ts'
import type { ReceiptDocument, ReceiptNode } from './receipt-document.ts'
import type { VerifyReceiptOptions } from './verify-receipt.ts'

const { Fn } = secp256k1.Point
const ROOT_SECRET = tagged('test-root-key')
const ROOT = { publicKey: secp256k1.getPublicKey(ROOT_SECRET), chainCode: tagged('test-chain-code') }
const KEY_ID = 'treasury'

/** What whoever verifies has. */
export const JUDGES: VerifyReceiptOptions = { locks: [testLock], required: 2, nowS: NOW_S }

export interface Making extends PolicyShape {
  /** Another one makes another request. */
  readonly seed?: string
  readonly signers?: readonly PartyId[]
  /** How many others cosign each log. */
  readonly cosigned?: number
  readonly approvers?: readonly string[]
  readonly path?: DerivationPath
  readonly policy?: Policy
  /** What all nodes sign together in the place of the payload's digest. */
  readonly digest?: Uint8Array
  /** Where a node writes it down, if not into a new log. */
  readonly logs?: ReadonlyMap<string, AuditLog>
  /** Entries that a log has before those of the request; they are of other things. */
  readonly before?: number
  /** What a node writes down instead of what it should. */
  readonly events?: (node: string, events: readonly AuditEvent[]) => readonly AuditEvent[]
}

export interface MadeReceipt {
  readonly document: ReceiptDocument
  readonly statement: Statement
  readonly hash: Uint8Array
  readonly policy: Policy
}

/** The public half of the key, attested by all five. Its public shares are points, and nothing more. */
async function certified(): Promise<ReceiptDocument['key']> {
  const parties = testLock.nodes.map((n) => n.index)
  const key: CertifiedKey = {
    ...{
      keyId: KEY_ID,
      origin: 'create',
      epoch: 0,
      previousEpoch: 0,
      previous: new Uint8Array(0),
      threshold: 3,
      parties,
      dealers: parties,
    },
    ...{ ...ROOT, nonce: tagged('nonce'), transcript: tagged('transcript'), clusterContext: clusterContext(testLock) },
    publicShares: parties.map((j) => secp256k1.getPublicKey(tagged('test-share', Uint8Array.of(j)))),
    sidParts: parties.map((j) => tagged('test-sid-part', Uint8Array.of(j))),
  }
  const hash = certificateHash(key)
  const attestations = await Promise.all(
    testLock.nodes.map(async ({ index, name }) => ({ party: index, signature: toHex((await signerOf(name).sign(hash)).signature) })),
  )
  const { keyId, origin, epoch, previousEpoch, threshold } = key
  return {
    ...{ keyId, origin, epoch, previousEpoch, threshold, parties, dealers: parties, previous: '', attestations },
    ...{ publicKey: toHex(key.publicKey), chainCode: toHex(key.chainCode), nonce: toHex(key.nonce), transcript: toHex(key.transcript) },
    ...{ publicShares: key.publicShares.map(toHex), sidParts: key.sidParts.map(toHex), clusterContext: toHex(key.clusterContext) },
  }
}

function signedDigest(digest: Uint8Array, path: DerivationPath): ReceiptDocument['signatures'][number] {
  const child = deriveChild(ROOT, path)
  const secret = Fn.toBytes(Fn.add(Fn.fromBytes(ROOT_SECRET), Fn.fromBytes(child.tweak)))
  const signature = secp256k1.sign(digest, secret, { prehash: false, lowS: true, format: 'compact' })
  return { path: formatPath(path), publicKey: toHex(child.publicKey), digest: toHex(digest), signature: toHex(signature) }
}

/** What an honest node writes down, as packages/node does. */
function honestEvents(made: Omit<MadeReceipt, 'document'>, signatures: readonly string[], making: Making): readonly AuditEvent[] {
  const { statement, hash } = made
  const { signers = [1, 2, 5], approvers = ['alice', 'bob'], seed = '' } = making
  const [requestId, sid] = [toHex(statement.requestId), toHex(tagged('test-sid', utf8(seed)))]
  const digests = statement.items.flatMap((i) => i.digests.map((d) => toHex(d.digest)))
  const about = { requestId, statement: toHex(hash), keyId: KEY_ID, digests }
  return [
    ...approvers.map((approver) => ({ kind: 'approval.given', details: { requestId, statement: toHex(hash), approver } })),
    {
      kind: 'request.allowed',
      details: { ...about, payloadType: 'evm.tx', paths: ['m'], code: 'ALLOWED', rule: 'pay-much', reason: 'a rule allows it' },
    },
    { kind: 'session.started', details: { ...about, sid, attempt: 0, signers, epoch: 0 } },
    { kind: 'session.signed', details: { sid, requestId, signatures } },
  ]
}

const KINDS = /^(request\.allowed|approval\.given|session\.)/

/** Appends the events to a log behind whatever is in it, and proves them. */
async function provenNode(log: AuditLog, name: string, events: readonly AuditEvent[], cosigners: readonly string[]): Promise<ReceiptNode> {
  const texts = events.map((e, i) => encodeEntry({ node: name, timeMs: NOW_MS + i, ...e }))
  const indices = await Promise.all(texts.map((t) => log.append(t)))
  const head = await log.flush()
  const note = await signedCheckpoint(name, head, { cosigners })
  await log.saveCheckpoint(note)
  const entries: ReceiptNode['entries'] = []
  for (const [i, index] of indices.entries()) {
    if (!KINDS.test((events[i] as AuditEvent).kind)) continue
    const proof = await log.inclusion(index, head.size)
    entries.push({ index, text: new TextDecoder().decode(texts[i]), proof: proof.map(toHex) })
  }
  return { node: name, checkpoint: new TextDecoder().decode(note), entries }
}

async function madeNode(name: string, events: readonly AuditEvent[], { before = 5, cosigned = 2, logs }: Making): Promise<ReceiptNode> {
  const cosigners = testLock.nodes.map((n) => n.name).filter((n) => n !== name)
  const known = logs?.get(name)
  if (known !== undefined) return provenNode(known, name, events, cosigners.slice(0, cosigned))
  const dir = await mkdtemp(join(tmpdir(), 'conclave-receipt-'))
  const log = await openLog(dir, name)
  try {
    await Promise.all(Array.from({ length: before }, (_, i) => log.append(testEntry(name, i))))
    return await provenNode(log, name, events, cosigners.slice(0, cosigned))
  } finally {
    await log.close()
    await rm(dir, { recursive: true })
  }
}

function madeStatement(policy: Policy, { seed = '', path = [], digest }: Making) {
  const payload = madePayment(1000 + seed.length)
  const terms: RequestTerms = {
    requester: EXCHANGE.name,
    nonce: tagged('test-nonce', utf8(seed)),
    notBeforeMs: 0,
    expiresAtMs: NOW_MS + 60_000,
  }
  const decoded = decodePayload('evm.tx', payload)
  const [clusterId, payloadType] = [fromHex(CLUSTER_ID), 'evm.tx']
  const asked = { clusterId, keyId: KEY_ID, payloadType, items: [{ payloadHash: payloadHash(payload), path }], ...terms }
  const requestId = requestIdOf(asked)
  const item = {
    payloadHash: payloadHash(payload),
    summaryHash: summaryHash(payloadType, decoded.summary),
    digests: digest === undefined ? digestsAt(decoded, path) : [{ path, digest }],
  }
  const facts = { clusterId, requestId, keyId: KEY_ID, keyEpoch: 0, payloadType, items: [item] }
  const statement = statementOf({ ...facts, policySequence: policy.sequence, policyHash: policyHash(policy) }, terms)
  return { statement, payload, summary: [...decoded.summary] }
}

/** A receipt of a payment, as five honest nodes and their people would make it; `making` says who deviates, and how. */
export async function madeReceipt(making: Making = {}): Promise<MadeReceipt> {
  const { signers = [1, 2, 5], approvers = ['alice', 'bob'], path = [], isOpen = false, isPq = false, policy = madePolicy(making) } = making
  const { statement, payload, summary } = madeStatement(policy, making)
  const hash = statementHash(statement)
  const signatures = statement.items.flatMap((i) => i.digests.map((d) => signedDigest(d.digest, d.path)))
  const made = { statement, hash, policy }
  const honest = honestEvents(
    made,
    signatures.map((s) => s.signature),
    making,
  )
  const nodes: ReceiptNode[] = []
  for (const j of signers) {
    const name = `n${j}`
    nodes.push(await madeNode(name, making.events?.(name, honest) ?? honest, making))
  }
  const opening = narrowOpening(openPolicy(policy), { requester: statement.requester, approvers: new Set(approvers) })
  const people = approvers.flatMap((id) => APPROVERS.get(id) ?? [])
  const document: ReceiptDocument = {
    format: 'conclave-receipt/1',
    statement: toHex(encodeStatement(statement)),
    items: [{ payload: toHex(payload), summary }],
    request: isOpen ? null : { paths: [formatPath(path)], signature: toHex(EXCHANGE.sign(statement.requestId)) },
    policy: shownPolicy(opening),
    approvals: people.map((by) => shownApproval(madeApproval(by, hash, { isPq: isPq && by.name === 'bob' }))),
    key: await certified(),
    signatures,
    nodes,
  }
  return { document, ...made }
}
