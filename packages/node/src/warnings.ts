import { originOf, parseNote } from '@conclave/audit'
import { ML_DSA_65_SIGNATURE_BYTES } from '@conclave/core'
import type { Policy } from '@conclave/policy'
import type { WitnessedLog } from './audit/witness-desk.ts'

/** Something that works, and that one would rather have otherwise. */
export interface AdminWarning {
  readonly code: 'REQUESTS_UNSIGNED' | 'CHECKPOINTS_NOT_PQ'
  /** What it is about. */
  readonly subject: string
  readonly message: string
  readonly fix: string
}

export interface WarningFacts {
  readonly clusterId: string
  /** In force. */
  readonly policy: Policy
  /** Whether this node signs its checkpoints by ML-DSA too; undefined without a log of its own. */
  readonly isPostQuantum: boolean | undefined
  /** Logs of other nodes, as this node has cosigned them. */
  readonly witnessed: readonly WitnessedLog[]
}

/** Whether the log itself signed by ML-DSA-65: no other signature is so long. */
function isPqSigned({ node, checkpoint }: WitnessedLog, clusterId: string): boolean {
  const origin = originOf(clusterId, node)
  return parseNote(checkpoint).signatures.some((s) => s.name === origin && s.signature.length === ML_DSA_65_SIGNATURE_BYTES)
}

/** What an operator should know of a node that does its work. */
export function warningsOf({ clusterId, policy, isPostQuantum, witnessed }: WarningFacts): readonly AdminWarning[] {
  const warnings: AdminWarning[] = []
  if (policy.rules.length > 0 && policy.requesters === undefined)
    warnings.push({
      code: 'REQUESTS_UNSIGNED',
      subject: `policy ${policy.sequence}`,
      message:
        'the policy names no requesters: whoever holds the coordinator makes requests within the rules, and no receipt shows who asked',
      fix: 'conclave approver keygen --out platform.pem on the platform, and "requesters" in the policy (docs/operations.md, "Who asks, who approves")',
    })
  const others = witnessed.filter((log) => isPqSigned(log, clusterId)).map((log) => log.node)
  if (isPostQuantum === false && others.length > 0)
    warnings.push({
      code: 'CHECKPOINTS_NOT_PQ',
      subject: 'audit log',
      message: `${others.join(', ')} signs checkpoints by ML-DSA-65 too, and this node does not`,
      fix: 'audit: { postQuantum: true } in node.yaml, restart, and hand out audit-pq.pub',
    })
  return warnings
}
