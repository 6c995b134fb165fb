import { toHex } from './bytes.ts'
import { type ClusterLock, lockHash, type NodeMember, nodesWithout, nodeWith, signChecked, verifyLock } from './cluster-lock.ts'
import { ConfigError } from './errors.ts'
import { tagged } from './hash.ts'
import type { IdentitySigner } from './identity.ts'
import { PARTIES_MAX } from './ids.ts'
import { formatLock, type Newcomer, parseLock } from './lock-file.ts'
import type { PolicyAuthors } from './policy-authors.ts'

/** How many older locks a chain may have: each is parsed, and may come from a stranger. */
export const LOCK_CHAIN_MAX = 16

/** What the next version of a lock does differently. */
export interface LockChange {
  readonly required?: number
  /** By the name of the member whose seat is taken over. */
  readonly replace?: ReadonlyMap<string, Newcomer>
  readonly add?: readonly Newcomer[]
  /** Names. */
  readonly remove?: readonly string[]
  /** Policy authors in the place of those of before. */
  readonly authors?: PolicyAuthors | 'none' | undefined
}

function refuse(code: string, message: string, details: Record<string, unknown> = {}): never {
  throw new ConfigError(code, `cluster lock: ${message}`, details)
}

const named = (nodes: readonly NodeMember[]) => nodes.map((n) => n.name).join(', ')
const approvalMessage = (lock: ClusterLock) => tagged('lock-approval', lockHash(lock))

function seated(nodes: readonly NodeMember[], newcomer: Omit<NodeMember, 'index'>): NodeMember {
  const used = new Set(nodes.map((n) => n.index))
  for (let index = 1; index <= PARTIES_MAX; index++) if (!used.has(index)) return { ...newcomer, index }
  return refuse('BAD_LOCK_CHANGE', `there is no free seat for ${newcomer.name}`)
}

/**
 * The unsigned next version of a lock. A replaced member's seat goes to its successor; an added node gets the lowest free index.
 *
 * @throws {ConfigError} BAD_LOCK_CHANGE (no such member, or another kind of member in its place), BAD_LOCK, and what `checkChange` throws.
 */
export function nextLock(old: ClusterLock, change: LockChange): ClusterLock {
  const { required = old.quorum.required, replace = new Map<string, Newcomer>(), add = [], remove = [] } = change
  const members = [...old.nodes, ...old.coordinators]
  for (const name of [...replace.keys(), ...remove]) {
    if (!members.some((m) => m.name === name)) refuse('BAD_LOCK_CHANGE', `no member is named ${name}`)
    if (replace.has(name) && remove.includes(name)) refuse('BAD_LOCK_CHANGE', `${name} cannot be both replaced and removed`)
  }
  const staying = members.filter((m) => !remove.includes(m.name))
  const placed = staying.map((member) => {
    const successor = replace.get(member.name) ?? member
    if (successor.kind !== member.kind)
      refuse('BAD_LOCK_CHANGE', `${successor.name} is a ${successor.kind}, ${member.name} a ${member.kind}`)
    return member.kind === 'node' ? ({ ...successor, index: member.index } as NodeMember) : successor
  })
  const nodes = placed.flatMap((m) => (m.kind === 'node' ? [m as NodeMember] : []))
  const coordinators = [...placed, ...add].flatMap((m) => (m.kind === 'coordinator' ? [m] : []))
  for (const newcomer of add) if (newcomer.kind === 'node') nodes.push(seated(nodes, newcomer))
  const draft: ClusterLock = {
    version: old.version + 1,
    clusterId: old.clusterId,
    previous: toHex(lockHash(old)),
    quorum: { required, of: nodes.length },
    nodes,
    coordinators,
    authors: change.authors === 'none' ? undefined : (change.authors ?? old.authors),
    signatures: new Map(),
    approvals: new Map(),
  }
  // Through its own file format, so that a draft is never something that nobody could read.
  const next = parseLock(JSON.parse(formatLock(draft)))
  checkChange(old, next)
  return next
}

function checkOrder(old: ClusterLock, next: ClusterLock): void {
  const details = { present: old.version, given: next.version }
  if (next.clusterId !== old.clusterId) refuse('LOCK_CONFLICT', 'it is the lock of another cluster')
  if (next.version < old.version) refuse('LOCK_ROLLED_BACK', `version ${next.version} is older than version ${old.version}`, details)
  if (next.version > old.version + 1) refuse('LOCK_SKIPPED', `version ${next.version} skips version ${old.version + 1}`, details)
  const hash = toHex(lockHash(old))
  if (next.version === old.version) {
    if (toHex(lockHash(next)) !== hash) refuse('LOCK_CHANGED', `it is another version ${old.version} than the one in force`, details)
    refuse('LOCK_CONFLICT', 'a lock does not follow itself')
  }
  if (next.previous !== hash) refuse('LOCK_CONFLICT', `it follows another version ${old.version} than the one in force`, details)
}

/**
 * Whether `next` may follow `old` at all, whoever has signed it: its place in the order, its seats, and who stays.
 *
 * @throws {ConfigError} LOCK_CONFLICT, LOCK_ROLLED_BACK, LOCK_SKIPPED, LOCK_CHANGED, LOCK_SEAT_MOVED, LOCK_TOO_FEW_STAY,
 * LOCK_TOO_MANY_LEAVE.
 */
export function checkChange(old: ClusterLock, next: ClusterLock): void {
  checkOrder(old, next)
  const leaving: NodeMember[] = []
  for (const node of old.nodes) {
    const then = nodeWith(next, node.identity)
    if (then === undefined) leaving.push(node)
    // What a node has sealed is bound to its name, what it shares with others to its index.
    else if (then.index !== node.index || then.name !== node.name)
      refuse('LOCK_SEAT_MOVED', `${node.name} must keep its index and its name`, { index: node.index })
  }
  const { required } = old.quorum
  const stay = old.nodes.length - leaving.length
  // Fewer could not hand the keys on to the new committee.
  if (stay < required) refuse('LOCK_TOO_FEW_STAY', `${stay} nodes stay, and ${required} are needed to hand the keys on`, { stay, required })
  // Together they could rebuild the shares that they leave with.
  if (leaving.length >= required)
    refuse('LOCK_TOO_MANY_LEAVE', `${named(leaving)} leave at once: as many as can sign`, { leave: leaving.length, required })
}

/**
 * The lock with the approval of `signer`, a node of the old lock, added.
 *
 * @throws {ConfigError} NOT_A_MEMBER when no node of `old` has that identity; what `checkChange` throws.
 */
export async function approveLock(old: ClusterLock, next: ClusterLock, signer: IdentitySigner): Promise<ClusterLock> {
  checkChange(old, next)
  const node = nodeWith(old, signer.key)
  if (node === undefined) throw new ConfigError('NOT_A_MEMBER', 'this node identity is not in the previous cluster lock')
  const approval = await signChecked(signer, approvalMessage(next))
  return { ...next, approvals: new Map(next.approvals).set(node.index, approval) }
}

/** The nodes of `old` that have validly approved `next`. */
export function approversOf(old: ClusterLock, next: ClusterLock): readonly NodeMember[] {
  const without = nodesWithout(old.nodes, approvalMessage(next), next.approvals)
  return old.nodes.filter((n) => !without.includes(n))
}

/**
 * `next` is the one version that follows `old`: every node of `next` has signed it, and a quorum of `old` has approved it.
 *
 * @throws {ConfigError} LOCK_UNAPPROVED naming whose approval lacks; LOCK_UNSIGNED; what `checkChange` throws.
 */
export function checkSuccessor(old: ClusterLock, next: ClusterLock): void {
  checkChange(old, next)
  const approvers = approversOf(old, next)
  if (approvers.length < old.quorum.required) {
    const lacking = old.nodes.filter((n) => !approvers.includes(n))
    refuse('LOCK_UNAPPROVED', `${approvers.length} of ${old.quorum.required} approvals; not approved by ${named(lacking)}`, {
      nodes: lacking.map((n) => n.index),
    })
  }
  verifyLock(next)
}

/**
 * Whether `older`, oldest first, are the very locks that came before `present`. Hashes alone decide: what they do not cover (the
 * signatures and approvals of the older ones) is not judged.
 *
 * @throws {ConfigError} BAD_LOCK_CHAIN.
 */
export function verifyLockChain(present: ClusterLock, older: readonly ClusterLock[]): void {
  if (older.length > LOCK_CHAIN_MAX) refuse('BAD_LOCK_CHAIN', `a chain has at most ${LOCK_CHAIN_MAX} older locks`)
  for (const [i, lock] of older.entries()) {
    const next = older[i + 1] ?? present
    const follows = next.version === lock.version + 1 && next.clusterId === lock.clusterId && next.previous === toHex(lockHash(lock))
    if (!follows) refuse('BAD_LOCK_CHAIN', `version ${next.version} does not follow the version ${lock.version} that was given`)
  }
}
