import type { AdminKey, AdminPair, AdminStatus } from '../admin.ts'
import { type CheckResult, check, type Finding, finding, type Known } from './finding.ts'

/** A pool that was just opened is empty by rights. */
const FILLED_AFTER_MS = 10 * 60_000

export interface StateFacts {
  readonly dir: string
  readonly status: AdminStatus
  readonly upMs: number
  /** Of the settings; 0 turns the pool off. */
  readonly highMark: number
}

function pairFindings(dir: string, { peer, state, isLinkUp, ban }: AdminPair): Finding | undefined {
  if (state === 'burned') {
    const why = ban === null ? '' : ` since ${ban.at}: ${ban.code}`
    return finding(
      'PAIR_BURNED',
      peer,
      `${peer} is banned${why}; a check failed that leaks secrets`,
      `read docs/operations.md, "When a pair is burned"; then conclave node pair reset --dir ${dir} --peer ${peer} --reason '...'`,
    )
  }
  if (state !== 'missing' || !isLinkUp) return undefined
  return finding(
    'PAIR_MISSING',
    peer,
    `there is no pair state with ${peer} yet`,
    'wait: it is set up by itself; if it stays, look at the logs of both nodes',
  )
}

function poolFindings({ status, highMark, upMs }: StateFacts): readonly (Finding | undefined)[] {
  if (highMark === 0 || upMs < FILLED_AFTER_MS) return []
  const empty = status.pairs.filter((p) => p.state === 'ready' && p.isLinkUp && p.stock === 0).map((p) => p.peer)
  if (empty.length === 0) return []
  const message = `no correlations are left for ${empty.join(', ')}: every signature runs the full protocol`
  return [
    finding(
      'POOL_EMPTY',
      'correlation pool',
      message,
      `raise signing.pool.high in node.yaml (now ${highMark}), or leave the node idle time; docs/operations.md, "The correlation pool"`,
    ),
  ]
}

function keyFindings(dir: string, { keyId, epoch, state, kept, prepared, threshold }: AdminKey): readonly (Finding | undefined)[] {
  const older = kept.filter((e) => e < epoch)
  const open = prepared.filter((e) => e > epoch)
  return [
    state === 'stale'
      ? finding(
          'KEY_STALE',
          keyId,
          `the share of "${keyId}" is of epoch ${epoch}, which the others have left`,
          `conclave key reshare --key ${keyId} --required ${threshold}`,
        )
      : undefined,
    older.length > 0
      ? finding(
          'KEY_KEEPS_OLD',
          keyId,
          `shares of older epochs of "${keyId}" are still kept: ${older.join(', ')}`,
          `sign something with "${keyId}"; if a node is gone for good: conclave node key erase-older --dir ${dir} --key ${keyId} --reason '...'`,
        )
      : undefined,
    open.length > 0
      ? finding(
          'KEY_KEEPS_OLD',
          keyId,
          `epochs of "${keyId}" were prepared and not finished: ${open.join(', ')}`,
          'wait until every node of the key is up',
        )
      : undefined,
  ]
}

const WARNED = ['REQUESTS_UNSIGNED', 'CHECKPOINTS_NOT_PQ'] as const

/** What the running node holds: keys, pairs, the pool. */
export function checkState(facts: Known<StateFacts>): readonly CheckResult[] {
  return [
    check('pairs', facts, ({ dir, status }) => status.pairs.map((p) => pairFindings(dir, p))),
    check('correlation pool', facts, poolFindings),
    check('requesters and checkpoints', facts, ({ status }) =>
      WARNED.flatMap((code) => status.warnings.filter((w) => w.code === code).map((w) => finding(code, w.subject, w.message, w.fix))),
    ),
    check('epochs', facts, ({ dir, status }) => status.keys.flatMap((k) => keyFindings(dir, k))),
  ]
}
