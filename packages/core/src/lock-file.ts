import { fromHex, toHex } from './bytes.ts'
import { CHECKPOINT_KEYS_MAX, type ClusterLock, type CoordinatorMember, LOCK_FORMAT, type NodeMember } from './cluster-lock.ts'
import { ConfigError } from './errors.ts'
import { IDENTITY_SIGNATURE_BYTES_MAX, type IdentityKey, parseIdentityKey } from './identity.ts'
import { PARTIES_MAX, type PartyId } from './ids.ts'
import { AUTHORS_MAX, type PolicyAuthor, type PolicyAuthors } from './policy-authors.ts'

const COORDINATORS_MAX = 8
const ADDRESSES_MAX = 8
const VERSION_MAX = 0xffffffff

/** A member before it has a place in a lock: what its card says. */
export type Newcomer = Omit<NodeMember, 'index'> | CoordinatorMember

function bad(message: string, details: Record<string, unknown> = {}): never {
  throw new ConfigError('BAD_LOCK', `cluster lock: ${message}`, details)
}

function field(o: Record<string, unknown>, name: string): unknown {
  if (!Object.hasOwn(o, name)) bad(`"${name}" is missing`)
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
const KEY = /^([0-9a-f]{2}){32,33}$/
const SIGNATURE = new RegExp(`^([0-9a-f]{2}){1,${IDENTITY_SIGNATURE_BYTES_MAX}}$`)
const HASH = /^[0-9a-f]{64}$/
const NO_HASH = /^$/

const COORDINATOR_FIELDS = ['name', 'peerId', 'addresses']
const NODE_FIELDS = [...COORDINATOR_FIELDS, 'identity', 'checkpointKeys']

function addresses(o: Record<string, unknown>): readonly string[] {
  return list(o, 'addresses', ADDRESSES_MAX).map((a) =>
    typeof a === 'string' && ADDRESS.test(a) ? a : bad('an address is not a multiaddr'),
  )
}

function coordinatorIn(o: Record<string, unknown>): CoordinatorMember {
  return { kind: 'coordinator', name: text(o, 'name', NAME), peerId: text(o, 'peerId', PEER_ID), addresses: addresses(o) }
}

function keyIn(v: unknown, what: string): IdentityKey {
  const o = object(v, what, ['type', 'publicKey'])
  return parseIdentityKey(text(o, 'type', /^[a-z0-9]+$/), fromHex(text(o, 'publicKey', KEY)))
}

function nodeIn(o: Record<string, unknown>): Omit<NodeMember, 'index'> {
  const checkpointKeys = list(o, 'checkpointKeys', CHECKPOINT_KEYS_MAX).map((k) => keyIn(k, 'a checkpoint key'))
  if (checkpointKeys.length === 0) bad('"checkpointKeys" must not be empty')
  return { ...coordinatorIn(o), kind: 'node', identity: keyIn(field(o, 'identity'), 'identity'), checkpointKeys }
}

/** @param value - parsed JSON of a node's or a coordinator's card. @throws {ConfigError} BAD_LOCK naming the field; BAD_IDENTITY. */
export function parseCard(value: unknown): Newcomer {
  const node = typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'node'
  const o = object(value, 'a card', ['kind', ...(node ? NODE_FIELDS : COORDINATOR_FIELDS)])
  text(o, 'kind', /^(node|coordinator)$/)
  return node ? nodeIn(o) : coordinatorIn(o)
}

function parseNode(v: unknown): NodeMember {
  const o = object(v, 'a node', ['index', ...NODE_FIELDS])
  return { index: whole(o, 'index', PARTIES_MAX), ...nodeIn(o) }
}

function parseSignatures(o: Record<string, unknown>, name: string): ReadonlyMap<PartyId, Uint8Array> {
  const signatures = new Map<PartyId, Uint8Array>()
  for (const s of list(o, name, PARTIES_MAX)) {
    const so = object(s, `an entry of "${name}"`, ['index', 'signature'])
    const index = whole(so, 'index', PARTIES_MAX)
    if (signatures.has(index)) bad(`two entries of node ${index} in "${name}"`)
    signatures.set(index, fromHex(text(so, 'signature', SIGNATURE)))
  }
  return signatures
}

function authorIn(v: unknown): PolicyAuthor {
  const o = object(v, 'a policy author', ['name', 'key'])
  const key = keyIn(field(o, 'key'), 'the key of a policy author')
  return key.type === 'ed25519' ? { name: text(o, 'name', NAME), key } : bad('the key of a policy author is an Ed25519 key')
}

/** @throws {ConfigError} BAD_LOCK, BAD_IDENTITY. */
function parseAuthors(v: unknown): PolicyAuthors {
  const o = object(v, '"authors"', ['required', 'keys'])
  const keys = list(o, 'keys', AUTHORS_MAX).map(authorIn)
  const required = whole(o, 'required', AUTHORS_MAX)
  if (required > keys.length) bad(`${required} of ${keys.length} policy authors cannot sign`)
  if (new Set(keys.map((a) => a.name)).size !== keys.length) bad('two policy authors share a name')
  return { required, keys }
}

function checkMembers({ nodes, coordinators, quorum, signatures, authors }: ClusterLock): void {
  if (new Set(nodes.map((n) => n.index)).size !== nodes.length) bad('two nodes share an index')
  const members = [...nodes, ...coordinators]
  for (const key of ['name', 'peerId'] as const) {
    if (new Set(members.map((m) => m[key])).size !== members.length) bad(`two members share a ${key}`)
  }
  if (new Set(nodes.map((n) => toHex(n.identity.publicKey))).size !== nodes.length) bad('two nodes share an identity key')
  // A key has one owner and one use, or a signature made for one of them could pass for another.
  const keys = nodes.flatMap((n) => [n.identity, ...n.checkpointKeys])
  if (new Set(keys.map((k) => toHex(k.publicKey))).size !== keys.length) bad('a checkpoint key is listed twice, or is an identity key')
  const all = [...keys, ...(authors?.keys ?? []).map((a) => a.key)]
  if (new Set(all.map((k) => toHex(k.publicKey))).size !== all.length)
    bad('the key of a policy author is listed twice, or is a key of a node')
  if (quorum.of !== nodes.length) bad(`quorum is of ${quorum.of} but ${nodes.length} nodes are listed`)
  if (quorum.required < 2 || quorum.required > nodes.length) bad(`a quorum of ${nodes.length} nodes requires 2 to ${nodes.length}`)
  for (const index of signatures.keys()) if (!nodes.some((n) => n.index === index)) bad(`a signature of node ${index}, which is not listed`)
}

/**
 * Reads a lock without judging its signatures.
 *
 * @param value - parsed JSON.
 * @throws {ConfigError} BAD_LOCK naming the field; BAD_IDENTITY.
 */
export function parseLock(value: unknown): ClusterLock {
  const fields = ['format', 'version', 'clusterId', 'previous', 'quorum', 'nodes', 'coordinators', 'authors', 'signatures', 'approvals']
  const o = object(value, 'the file', fields)
  if (field(o, 'format') !== LOCK_FORMAT) bad(`format must be "${LOCK_FORMAT}"`)
  const version = whole(o, 'version', VERSION_MAX)
  const quorum = object(field(o, 'quorum'), 'quorum', ['required', 'of'])
  const lock: ClusterLock = {
    version,
    clusterId: text(o, 'clusterId', HASH),
    previous: text(o, 'previous', version === 1 ? NO_HASH : HASH),
    quorum: { required: whole(quorum, 'required', PARTIES_MAX), of: whole(quorum, 'of', PARTIES_MAX) },
    nodes: list(o, 'nodes', PARTIES_MAX)
      .map(parseNode)
      .sort((a, b) => a.index - b.index),
    coordinators: list(o, 'coordinators', COORDINATORS_MAX).map((v) => coordinatorIn(object(v, 'a coordinator', COORDINATOR_FIELDS))),
    ...(Object.hasOwn(o, 'authors') ? { authors: parseAuthors(o.authors) } : {}),
    signatures: parseSignatures(o, 'signatures'),
    approvals: parseSignatures(o, 'approvals'),
  }
  if (version === 1 && lock.approvals.size > 0) bad('version 1 has nobody before it to approve it')
  checkMembers(lock)
  return lock
}

/** A key as it stands in a lock or a card. */
export function formatKey({ type, publicKey }: IdentityKey): { readonly type: IdentityKey['type']; readonly publicKey: string } {
  return { type, publicKey: toHex(publicKey) }
}

/** The lock as JSON, pretty-printed; `parseLock(JSON.parse(...))` gives it back. */
export function formatLock(lock: ClusterLock): string {
  const entries = (signatures: ClusterLock['signatures']) =>
    [...signatures].sort(([a], [b]) => a - b).map(([index, s]) => ({ index, signature: toHex(s) }))
  const body = {
    format: LOCK_FORMAT,
    version: lock.version,
    clusterId: lock.clusterId,
    previous: lock.previous,
    quorum: lock.quorum,
    nodes: lock.nodes.map(({ index, name, peerId, addresses: a, identity, checkpointKeys }) => ({
      index,
      name,
      peerId,
      addresses: a,
      identity: formatKey(identity),
      checkpointKeys: checkpointKeys.map(formatKey),
    })),
    coordinators: lock.coordinators.map(({ name, peerId, addresses: a }) => ({ name, peerId, addresses: a })),
    ...(lock.authors === undefined
      ? {}
      : { authors: { required: lock.authors.required, keys: lock.authors.keys.map(({ name, key }) => ({ name, key: formatKey(key) })) } }),
    signatures: entries(lock.signatures),
    approvals: entries(lock.approvals),
  }
  return `${JSON.stringify(body, null, 2)}\n`
}
