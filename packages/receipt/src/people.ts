import { fromHex, InvalidArgument, parseIdentityKey, toHex } from '@conclave/core'
import type { Approval, Approver, ApproverKey, PolicyOpening, Requester } from '@conclave/policy'
import type { ReceiptApproval, ReceiptApprover, ReceiptPolicy, ReceiptRequester } from './receipt-document.ts'

type ShownKey = ReceiptApprover['keys'][number]

function keyText(key: ApproverKey): ShownKey {
  if (key.kind === 'identity') return `${key.key.type}:${toHex(key.key.publicKey)}`
  const { algorithm, publicKey, rpId, origin } = key
  return { webauthn: { algorithm, publicKey: toHex(publicKey), rpId, origin } }
}

function keyOf(shown: ShownKey): ApproverKey {
  if (typeof shown === 'object') {
    const { algorithm, publicKey, rpId, origin } = shown.webauthn
    return { kind: 'webauthn', algorithm, publicKey: fromHex(publicKey), rpId, origin }
  }
  const [type = '', digits = '', ...rest] = shown.split(':')
  if (rest.length > 0 || digits !== digits.toLowerCase()) throw new InvalidArgument('BAD_KEY', 'not the text of a key')
  return { kind: 'identity', key: parseIdentityKey(type, fromHex(digits)) }
}

const shownApprover = ({ id, groups, keys, pq }: Approver): ReceiptApprover => ({
  ...{ id, groups: [...groups].sort(), keys: keys.map(keyText) },
  ...(pq === undefined ? {} : { pq: toHex(pq) }),
})
const approverOf = ({ id, groups, keys, pq }: ReceiptApprover): Approver => ({
  ...{ id, groups, keys: keys.map(keyOf) },
  ...(pq === undefined ? {} : { pq: fromHex(pq) }),
})
const requesterOf = ({ name, key }: ReceiptRequester): Requester => ({ name, key: fromHex(key) })

/** A policy that was opened, as a receipt has it. */
export function shownPolicy({ rules, requesters, approvers, labels }: PolicyOpening): ReceiptPolicy {
  const shown = <T, S>(one: T | Uint8Array, text: (one: T) => S) => (one instanceof Uint8Array ? toHex(one) : text(one))
  return {
    rules: rules.map(toHex),
    requesters: requesters?.map((r) => shown(r, ({ name, key }: Requester) => ({ name, key: toHex(key) }))) ?? null,
    approvers: approvers?.map((a) => shown(a, shownApprover)) ?? null,
    labels: labels?.map(toHex) ?? null,
  }
}

/** @throws {InvalidArgument} BAD_KEY; {ConfigError} BAD_IDENTITY. */
export function openedPolicy({ rules, requesters, approvers, labels }: ReceiptPolicy, sequence: number): PolicyOpening {
  return {
    ...{ version: 1, sequence, rules: rules.map((h) => fromHex(h)), labels: labels?.map((h) => fromHex(h)) },
    requesters: requesters?.map((r) => (typeof r === 'string' ? fromHex(r) : requesterOf(r))),
    approvers: approvers?.map((a) => (typeof a === 'string' ? fromHex(a) : approverOf(a))),
  }
}

/** An approval as a receipt has it. The statement is that of the receipt, and the decision is yes. */
export function shownApproval({ approver, atMs, evidence, pq }: Approval): ReceiptApproval {
  const second = pq === undefined ? {} : { pq: toHex(pq) }
  if ('signature' in evidence) return { approver, atMs, signature: toHex(evidence.signature), ...second }
  const { signature, authenticatorData, clientData } = evidence.assertion
  return {
    approver,
    atMs,
    signature: toHex(signature),
    authenticatorData: toHex(authenticatorData),
    clientData: toHex(clientData),
    ...second,
  }
}

/** @param statement - its hash. */
export function approvalOf(shown: ReceiptApproval, statement: Uint8Array): Approval {
  const { approver, atMs, authenticatorData, clientData, pq } = shown
  const signature = fromHex(shown.signature)
  const isPlain = authenticatorData === undefined && clientData === undefined
  const assertion = { signature, authenticatorData: fromHex(authenticatorData ?? ''), clientData: fromHex(clientData ?? '') }
  return {
    ...{ statement, decision: 'approve', approver, atMs, evidence: isPlain ? { signature } : { assertion } },
    ...(pq === undefined ? {} : { pq: fromHex(pq) }),
  }
}
