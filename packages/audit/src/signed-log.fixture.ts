import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { type ClusterLock, concat, fromHex, type IdentityKey, type NodeMember, tagged, toHex, utf8 } from '@conclave/core'
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { formatCheckpoint, originOf } from './checkpoint.ts'
import { encodeEntry } from './entry.ts'
import { keysFromLocks } from './lock-keys.ts'
import { AuditLog } from './log.ts'
import { formatNote } from './note.ts'
import { cosignText, signText, type TextSigner } from './note-keys.ts'

export { BATCH_ENTRIES_MAX, formatBatch } from './tail.ts'

export const CLUSTER_ID = toHex(tagged('test-cluster'))
/** Of entries and signatures: 2030-01-01. */
export const NOW_MS = Date.UTC(2030, 0, 1)
export const NOW_S = NOW_MS / 1000

const ED25519_PKCS8 = fromHex('302e020100300506032b657004220420')

/** A key from a label, as no HSM has it. */
export function testSigner(label: string, type: IdentityKey['type'] = 'ed25519'): TextSigner & { readonly key: IdentityKey } {
  const seed = tagged('test-identity', utf8(label))
  if (type !== 'ed25519') {
    const curve = { secp256k1, p256 }[type]
    const key: IdentityKey = { type, publicKey: curve.getPublicKey(seed) }
    return { key, sign: async (message) => ({ key, signature: curve.sign(message, seed, { prehash: true, lowS: true, format: 'der' }) }) }
  }
  const secret = createPrivateKey({ key: Buffer.from(concat(ED25519_PKCS8, seed)), format: 'der', type: 'pkcs8' })
  const publicKey = new Uint8Array(createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(-32))
  const key: IdentityKey = { type, publicKey }
  return { key, sign: async (message) => ({ key, signature: new Uint8Array(sign(null, message, secret)) }) }
}

const NAMES = ['n1', 'n2', 'n3', 'n4', 'n5']
const TYPES = new Map<string, IdentityKey['type']>([
  ['n3', 'secp256k1'],
  ['n4', 'p256'],
])
/** Those of n3 and n4 are ECDSA keys. */
export const signerOf = (name: string) => testSigner(name, TYPES.get(name) ?? 'ed25519')

/** A lock of five nodes; nobody has signed it. */
export const testLock: ClusterLock = {
  version: 1,
  clusterId: CLUSTER_ID,
  previous: '',
  quorum: { required: 3, of: 5 },
  nodes: NAMES.map((name, i): NodeMember => {
    const { key } = signerOf(name)
    return { kind: 'node', index: i + 1, name, peerId: '', addresses: [], identity: key, checkpointKeys: [key] }
  }),
  coordinators: [],
  signatures: new Map(),
  approvals: new Map(),
}

export const keysOf = (name: string, required = 2) => keysFromLocks([testLock], name, { required, nowS: NOW_S })

/** The `i`-th entry of a node's log; `told` makes it another one. */
export const testEntry = (name: string, i: number, told = 'yes') =>
  encodeEntry({ node: name, timeMs: NOW_MS + i, kind: 'test.counted', details: { i, told, list: ['a', 2], nothing: null } })

export interface Signing {
  /** Default: those of the log itself. */
  readonly size?: number
  readonly root?: Uint8Array
  readonly cosigners?: readonly string[]
  readonly timeS?: number
}

/** A checkpoint as bytes, signed by the node and cosigned by others. */
export async function signedCheckpoint(name: string, head: { size: number; root: Uint8Array }, signing: Signing = {}): Promise<Uint8Array> {
  const { cosigners = ['n2', 'n3', 'n4'], timeS = NOW_S } = signing
  const origin = originOf(CLUSTER_ID, name)
  const text = formatCheckpoint({ origin, ...head })
  const signatures = [await signText(text, origin, signerOf(name))]
  for (const by of cosigners) signatures.push(await cosignText(text, { name: originOf(CLUSTER_ID, by), signer: signerOf(by), timeS }))
  return formatNote({ text, signatures })
}

export const openLog = (dir: string, name = 'n1') => AuditLog.open(dir, originOf(CLUSTER_ID, name))

/** Appends entries up to `size`, makes tiles, signs. */
export async function growTo(log: AuditLog, size: number, options: { name?: string; told?: string } & Signing = {}): Promise<Uint8Array> {
  const { name = 'n1', told = 'yes', ...signing } = options
  const batch = Array.from({ length: size - log.size }, (_, i) => testEntry(name, log.size + i, told))
  await Promise.all(batch.map((entry) => log.append(entry)))
  const note = await signedCheckpoint(name, await log.flush(), signing)
  await log.saveCheckpoint(note)
  return note
}
