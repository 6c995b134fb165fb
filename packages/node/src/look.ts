import { ConclaveError, InvalidArgument, toHex, utf8 } from '@conclave/core'
import type { Approver } from '@conclave/policy'
import { decode, LOOKED_BYTES_MAX, type Look, type Looked, Propose } from '@conclave/wire'
import type { ApprovalDesk } from './approvals/approval-desk.ts'
import type { FreezeKeeper } from './freeze/freeze-keeper.ts'
import type { NodeParts } from './node-parts.ts'
import type { Policies, PolicyInForce } from './policies/in-force.ts'
import type { Proposals } from './proposals.ts'

/** What a coordinator may see of a node. It changes nothing, and no entry of the log is among it. */
export interface Lookable {
  readonly parts: Pick<NodeParts, 'audit'>
  readonly policies: Policies
  readonly approvals: ApprovalDesk
  readonly proposals: Proposals
  readonly freezes: FreezeKeeper
}

type Show = (to: Lookable, argument: Uint8Array) => Uint8Array | object | Promise<Uint8Array | object>

const approverShown = ({ id, groups, keys }: Approver) => ({
  ...{ id, groups },
  keys: keys.map((k) => k.kind),
})

function policyShown({ policy, hash }: PolicyInForce): object {
  return {
    sequence: policy.sequence,
    hash: toHex(hash),
    rules: policy.rules.map(({ name, effect }) => ({ name, effect })),
    requesters: policy.requesters?.map(({ name }) => name) ?? null,
    approvers: policy.approvers?.map(approverShown) ?? [],
  }
}

async function statementShown({ approvals }: Lookable, requestId: Uint8Array): Promise<object> {
  const { items: _, key: __, ...shown } = await approvals.show(requestId)
  return shown
}

/** The verdict that a proposal would get now, as if nobody had approved it; nothing is remembered of it. */
function simulated({ proposals }: Lookable, argument: Uint8Array): object {
  const p = decode(Propose, argument)
  const refusal = proposals.refusal(p)
  if (refusal !== undefined) return { allowed: false, code: refusal.code, reason: refusal.message, rule: '' }
  const { allowed, code, reason, rule } = proposals.judged(p).verdict
  return { allowed, code, reason, rule }
}

async function logFile({ parts: { audit } }: Lookable, argument: Uint8Array): Promise<Uint8Array> {
  if (audit === undefined) throw new ConclaveError('NO_LOG', 'this node keeps no log')
  const file = await audit.journal.published(new TextDecoder().decode(argument))
  if (file === undefined) throw new ConclaveError('NO_SUCH_FILE', 'the log has no such checkpoint or tile')
  return file
}

const TOPICS: Readonly<Record<string, Show>> = {
  policy: ({ policies }) => policyShown(policies.present),
  statement: statementShown,
  simulate: simulated,
  freezes: ({ freezes }) => ({ freezes: freezes.list() }),
  'log-file': logFile,
}

/**
 * Answers in JSON, and with the bytes of a file of the log.
 *
 * @throws {InvalidArgument} UNKNOWN_TOPIC; {ConclaveError} TOO_MUCH, UNKNOWN_REQUEST, NO_LOG, NO_SUCH_FILE; what judging throws.
 */
export async function look(to: Lookable, { topic, argument }: Look): Promise<Looked> {
  const show = Object.hasOwn(TOPICS, topic) ? TOPICS[topic] : undefined
  if (show === undefined) throw new InvalidArgument('UNKNOWN_TOPIC', 'this node does not show that')
  const shown = await show(to, argument)
  const body = shown instanceof Uint8Array ? shown : utf8(JSON.stringify(shown))
  if (body.length > LOOKED_BYTES_MAX) throw new ConclaveError('TOO_MUCH', `more than ${LOOKED_BYTES_MAX} bytes to show`)
  return { body }
}
