import { concat, equalBytes, fromHex, toHex, u32, utf8 } from './bytes.ts'
import { ConclaveError, ConfigError } from './errors.ts'
import { tagged } from './hash.ts'
import { type IdentityKey, type IdentitySigner, parseIdentityKey, verifyIdentity } from './identity.ts'
import { checkThreshold, type PartyId } from './ids.ts'

export const LOCK_FORMAT = 'conclave-cluster-lock/1'
const COORDINATORS_MAX = 8
const ADDRESSES_MAX = 8

export interface NodeMember {
  readonly kind: 'node'
  readonly index: PartyId
  readonly name: string
  readonly peerId: string
  /** Multiaddrs without the peer id. */
  readonly addresses: readonly string[]
  readonly identity: IdentityKey
}

export interface CoordinatorMember {
  readonly kind: 'coordinator'
  readonly name: string
  readonly peerId: string
  readonly addresses: readonly string[]
}

export type Member = NodeMember | CoordinatorMember

/** Who belongs to a cluster. Nodes are sorted by index 1..n; names and peer ids are unique over all members. */
export interface ClusterLock {
  readonly version: number
  /** 32 random bytes, hex. */
  readonly clusterId: string
  readonly quorum: { readonly required: number; readonly of: number }
  readonly nodes: readonly NodeMember[]
  readonly coordinators: readonly CoordinatorMember[]
  readonly signatures: ReadonlyMap<PartyId, Uint8Array>
}

function bad(message: string, details: Record<string, unknown> = {}): never {
  throw new ConfigError('BAD_LOCK', `cluster lock: ${message}`, details)
}

function field(o: Record<string, unknown>, name: string): unknown {
  if (!(name in o)) bad(`"${name}" is missing`)
  return o[name]
}

function object(v: unknown, what: string, keys: readonly string[]): Record<string, unknown> {
  if (typeof v !== 'object' || v === null || Array.isArray(v)) bad(`${what} must be an object`)
  for (const k of Object.keys(v)) if (!keys.includes(k)) bad(`unknown field "${k}" in ${what}`)
  return v as Record<string, unknown>
}

function text(o: Record<string, unknown>, name: string, pattern: RegExp): string {
  const v = field(o, name)
  if (typeof v !== 'string' || !pattern.test(v)) bad(`"${name}" is not valid`)
  return v
}

function whole(o: Record<string, unknown>, name: string, max: number): number {
  const v = field(o, name)
  if (typeof v !== 'number' || !Number.isInteger(v) || v < 1 || v > max) bad(`"${name}" must be a whole number from 1 to ${max}`)
  return v
}

function list(o: Record<string, unknown>, name: string, max: number): readonly unknown[] {
  const v = field(o, name)
  if (!Array.isArray(v) || v.length > max) bad(`"${name}" must be a list of at most ${max}`)
  return v
}

const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/
const PEER_ID = /^[1-9A-HJ-NP-Za-km-z]{40,64}$/
const ADDRESS = /^\/[\x21-\x7e]{1,200}$/
const HEX = /^([0-9a-f]{2})+$/

function addresses(o: Record<string, unknown>): readonly string[] {
  return list(o, 'addresses', ADDRESSES_MAX).map((a) =>
    typeof a === 'string' && ADDRESS.test(a) ? a : bad('an address is not a multiaddr'),
  )
}

function parseNode(v: unknown): NodeMember {
  const o = object(v, 'a node', ['index', 'name', 'peerId', 'addresses', 'identity'])
  const id = object(field(o, 'identity'), 'identity', ['type', 'publicKey'])
  return {
    kind: 'node',
    index: whole(o, 'index', 9),
    name: text(o, 'name', NAME),
    peerId: text(o, 'peerId', PEER_ID),
    addresses: addresses(o),
    identity: parseIdentityKey(text(id, 'type', /^[a-z0-9]+$/), fromHex(text(id, 'publicKey', HEX))),
  }
}

function parseCoordinator(v: unknown): CoordinatorMember {
  const o = object(v, 'a coordinator', ['name', 'peerId', 'addresses'])
  return { kind: 'coordinator', name: text(o, 'name', NAME), peerId: text(o, 'peerId', PEER_ID), addresses: addresses(o) }
}

/**
 * Reads a lock without judging its signatures.
 *
 * @param value - parsed JSON.
 * @throws {ConfigError} BAD_LOCK naming the field; BAD_IDENTITY.
 */
export function parseLock(value: unknown): ClusterLock {
  const o = object(value, 'the file', ['format', 'version', 'clusterId', 'quorum', 'nodes', 'coordinators', 'signatures'])
  if (field(o, 'format') !== LOCK_FORMAT) bad(`format must be "${LOCK_FORMAT}"`)
  const quorum = object(field(o, 'quorum'), 'quorum', ['required', 'of'])
  const nodes = list(o, 'nodes', 9)
    .map(parseNode)
    .sort((a, b) => a.index - b.index)
  const coordinators = list(o, 'coordinators', COORDINATORS_MAX).map(parseCoordinator)
  if (nodes.some((n, i) => n.index !== i + 1)) bad('node indices must be 1..n without gaps')
  const members = [...nodes, ...coordinators]
  for (const key of ['name', 'peerId'] as const) {
    if (new Set(members.map((m) => m[key])).size !== members.length) bad(`two members share a ${key}`)
  }
  if (new Set(nodes.map((n) => toHex(n.identity.publicKey))).size !== nodes.length) bad('two nodes share an identity key')
  const required = whole(quorum, 'required', 9)
  const of = whole(quorum, 'of', 9)
  if (of !== nodes.length) bad(`quorum is of ${of} but ${nodes.length} nodes are listed`)
  checkThreshold(required, of)
  const signatures = new Map<PartyId, Uint8Array>()
  for (const s of list(o, 'signatures', 9)) {
    const so = object(s, 'a signature', ['index', 'signature'])
    const index = whole(so, 'index', nodes.length)
    if (signatures.has(index)) bad(`two signatures of node ${index}`)
    signatures.set(index, fromHex(text(so, 'signature', HEX)))
  }
  return {
    version: whole(o, 'version', 0xffffffff),
    clusterId: toHex(fromHex(text(o, 'clusterId', HEX), 32)),
    quorum: { required, of },
    nodes,
    coordinators,
    signatures,
  }
}

/** The lock as JSON, pretty-printed; `parseLock(JSON.parse(...))` gives it back. */
export function formatLock(lock: ClusterLock): string {
  const body = {
    format: LOCK_FORMAT,
    version: lock.version,
    clusterId: lock.clusterId,
    quorum: lock.quorum,
    nodes: lock.nodes.map(({ index, name, peerId, addresses: a, identity }) => ({
      index,
      name,
      peerId,
      addresses: a,
      identity: { type: identity.type, publicKey: toHex(identity.publicKey) },
    })),
    coordinators: lock.coordinators.map(({ name, peerId, addresses: a }) => ({ name, peerId, addresses: a })),
    signatures: [...lock.signatures].sort(([a], [b]) => a - b).map(([index, s]) => ({ index, signature: toHex(s) })),
  }
  return `${JSON.stringify(body, null, 2)}\n`
}

function hashList(parts: readonly Uint8Array[]): Uint8Array {
  return tagged('list', ...parts)
}

/** What every node signs: everything in the lock but the signatures. 32 bytes. */
export function lockHash(lock: ClusterLock): Uint8Array {
  const node = (n: NodeMember) =>
    tagged(
      'lock-node',
      u32(n.index),
      utf8(n.name),
      utf8(n.peerId),
      utf8(n.identity.type),
      n.identity.publicKey,
      hashList(n.addresses.map(utf8)),
    )
  const coordinator = (c: CoordinatorMember) => tagged('lock-coordinator', utf8(c.name), utf8(c.peerId), hashList(c.addresses.map(utf8)))
  return tagged(
    'cluster-lock',
    utf8(LOCK_FORMAT),
    u32(lock.version),
    fromHex(lock.clusterId),
    u32(lock.quorum.required),
    u32(lock.quorum.of),
    hashList(lock.nodes.map(node)),
    hashList(lock.coordinators.map(coordinator)),
  )
}

/** The specification's `clusterCtx = T("cluster", version, clusterId, sorted (index, peerId) list)`. 32 bytes. */
export function clusterContext(lock: Pick<ClusterLock, 'version' | 'clusterId' | 'nodes'>): Uint8Array {
  const members = lock.nodes.map((n) => tagged('cluster-member', u32(n.index), utf8(n.peerId)))
  return tagged('cluster', u32(lock.version), fromHex(lock.clusterId), concat(...members))
}

const lockMessage = (lock: ClusterLock) => tagged('lock-signature', lockHash(lock))

/** The lock with `signer`'s signature added. @throws {ConfigError} NOT_A_MEMBER when no node has that identity. */
export async function signLock(lock: ClusterLock, signer: IdentitySigner): Promise<ClusterLock> {
  const node = lock.nodes.find((n) => n.identity.type === signer.key.type && equalBytes(n.identity.publicKey, signer.key.publicKey))
  if (node === undefined) throw new ConfigError('NOT_A_MEMBER', 'this node identity is not in the cluster lock')
  const signature = await signer.sign(lockMessage(lock))
  if (!verifyIdentity(node.identity, lockMessage(lock), signature))
    throw new ConclaveError('BAD_SIGNATURE', 'the identity signer produced a signature that does not verify')
  return { ...lock, signatures: new Map(lock.signatures).set(node.index, signature) }
}

/** @throws {ConfigError} LOCK_UNSIGNED naming the nodes whose signature is missing or wrong. */
export function verifyLock(lock: ClusterLock): void {
  const message = lockMessage(lock)
  const missing = lock.nodes.filter((n) => {
    const s = lock.signatures.get(n.index)
    return s === undefined || !verifyIdentity(n.identity, message, s)
  })
  if (missing.length > 0) {
    throw new ConfigError('LOCK_UNSIGNED', `cluster lock: no valid signature of ${missing.map((n) => n.name).join(', ')}`, {
      nodes: missing.map((n) => n.index),
    })
  }
}
