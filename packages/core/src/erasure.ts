import { z } from 'zod'
import { fromHex, toHex, utf8 } from './bytes.ts'
import type { ClusterLock } from './cluster-lock.ts'
import { ERASURE_BYTES_MAX } from './document-limits.ts'
import { ConfigError } from './errors.ts'
import { tagged } from './hash.ts'
import { IDENTITY_SIGNATURE_BYTES_MAX, type IdentitySigner, verifyIdentity } from './identity.ts'
import { parseKeyId } from './ids.ts'

/** What an erasure does not reach; stands in every record, for whoever reads one. */
const BACKUPS = 'a backup that was made before may still hold the share'

const LIST_MAX = 64
const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/)
const whole = z.int().min(0).max(0xffffffff)
const Fields = z.strictObject({
  format: z.literal('conclave-erasure/1'),
  clusterId: z.string().regex(/^[0-9a-f]{64}$/),
  node: name,
  keyId: z.string().min(1).max(63),
  /** Of the key; null when this node never learnt it, because the key never came true. */
  publicKey: z
    .string()
    .regex(/^[0-9a-f]{66}$/)
    .nullable(),
  /** Of which this node held a share when it erased them. */
  epochs: z.array(whole).min(1).max(LIST_MAX),
  /** Every KEK up to `destroyed` is gone from `hsms`; `without` were said to be dead, and may hold theirs. */
  kek: z.strictObject({ destroyed: z.int().min(1).max(0xffffffff), hsms: z.array(name).min(1).max(8), without: z.array(name).max(8) }),
  at: z.iso.datetime(),
  backups: z.literal(BACKUPS),
})
const Signed = Fields.extend({
  signature: z.string().regex(new RegExp(`^([0-9a-f]{2}){1,${IDENTITY_SIGNATURE_BYTES_MAX}}$`)),
})

/**
 * A node's signed word that it holds no share of a key any more, nor can open an older copy of one: the shares are erased, and so is every
 * KEK that they were ever sealed under.
 */
export type Erasure = Readonly<z.infer<typeof Signed>>

type Unsigned = Omit<Erasure, 'signature'>

function statement({ format, clusterId, node, keyId, publicKey, epochs, kek, at, backups }: Unsigned): Uint8Array {
  const { destroyed, hsms, without } = kek
  const fields = { format, clusterId, node, keyId, publicKey, epochs, kek: { destroyed, hsms, without }, at, backups }
  return tagged('key-erasure', utf8(JSON.stringify(fields)))
}

/** @throws {ConfigError} BAD_ERASURE when what is to be signed would not parse; what the signer throws. */
export async function signErasure(facts: Omit<Unsigned, 'format' | 'backups'>, identity: IdentitySigner): Promise<Erasure> {
  const unsigned: Unsigned = { format: 'conclave-erasure/1', ...facts, backups: BACKUPS }
  const signature = toHex(await identity.sign(statement(unsigned)))
  return parseErasure({ ...unsigned, signature })
}

/** Strict: no unknown field, everything bounded. Says nothing about the signature. @throws {ConfigError} BAD_ERASURE. */
export function parseErasure(value: unknown): Erasure {
  const parsed = Signed.safeParse(value)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new ConfigError('BAD_ERASURE', `not an erasure record: ${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'not valid'}`)
  }
  try {
    parseKeyId(parsed.data.keyId)
  } catch (cause) {
    throw new ConfigError('BAD_ERASURE', 'not an erasure record: keyId', {}, cause)
  }
  return parsed.data
}

/** @throws {ConfigError} BAD_ERASURE. */
export function readErasure(text: string): Erasure {
  if (text.length > ERASURE_BYTES_MAX) throw new ConfigError('BAD_ERASURE', `an erasure record has at most ${ERASURE_BYTES_MAX} characters`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new ConfigError('BAD_ERASURE', 'an erasure record is JSON', {}, cause)
  }
  return parseErasure(value)
}

/**
 * That the node of the lock has signed it.
 *
 * @throws {ConfigError} ERASURE_OTHER_CLUSTER, ERASURE_UNKNOWN_NODE, ERASURE_FORGED.
 */
export function verifyErasure(lock: ClusterLock, erasure: Erasure): void {
  if (erasure.clusterId !== lock.clusterId) throw new ConfigError('ERASURE_OTHER_CLUSTER', 'the erasure record is of another cluster')
  const member = lock.nodes.find((n) => n.name === erasure.node)
  if (member === undefined) throw new ConfigError('ERASURE_UNKNOWN_NODE', `the cluster lock has no node "${erasure.node}"`)
  if (!verifyIdentity(member.identity, statement(erasure), fromHex(erasure.signature)))
    throw new ConfigError('ERASURE_FORGED', `${erasure.node} has not signed this erasure record with the identity of the cluster lock`)
}
