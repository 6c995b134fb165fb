// A reader of receipts written from docs/spec/receipt.md, RFC 6962 and the C2SP texts alone: it shares no code with the verifier. It
// knows Ed25519 nodes only, and leaves out what the statement's own specification has an independent reader for.
import { createHash, createPublicKey, verify } from 'node:crypto'

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const h = createHash('sha256')
  for (const p of parts) h.update(p)
  return h.digest()
}
const be = (value: number, bytes: number): Buffer => {
  const out = Buffer.alloc(bytes)
  for (let i = bytes - 1, left = value; i >= 0; i--, left = Math.floor(left / 256)) out[i] = left % 256
  return out
}
const hex = (text: string): Buffer => Buffer.from(text, 'hex')
/** Section "Hashes". */
const T = (label: string, ...parts: readonly Uint8Array[]): Buffer =>
  sha256(Buffer.from(`conclave/v1/${label}`), ...parts.flatMap((p) => [be(p.length, 8), p]))
const isSigned = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean => {
  const key = createPublicKey({ key: Buffer.concat([hex('302a300506032b6570032100'), publicKey]), format: 'der', type: 'spki' })
  return verify(null, message, key, signature)
}

/** The file, as far as a stranger reads it. */
interface Entry {
  readonly index: number
  readonly text: string
  readonly proof: readonly string[]
}
interface NodePart {
  readonly node: string
  readonly checkpoint: string
  readonly entries: readonly Entry[]
}
interface Receipt {
  readonly statement: string
  readonly items: readonly { readonly payload: string; readonly summary: readonly { readonly label: string; readonly value: string }[] }[]
  readonly policy: { readonly approvers: readonly { readonly id?: string; readonly keys?: readonly string[] }[] }
  readonly approvals: readonly { readonly approver: string; readonly atMs: number; readonly signature: string }[]
  readonly nodes: readonly NodePart[]
}
interface Said {
  readonly kind: string
  readonly node: string
  readonly details: { readonly statement?: string }
}

/** Merkle path of RFC 9162, 2.1.3.2. */
function rootFrom(leaf: Buffer, index: number, size: number, proof: readonly string[]): string {
  let [fn, sn, r] = [index, size - 1, leaf]
  for (const p of proof) {
    if (fn % 2 === 1 || fn === sn) {
      r = sha256(Buffer.of(1), hex(p), r)
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)]
    } else r = sha256(Buffer.of(1), r, hex(p))
    ;[fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)]
  }
  return sn === 0 ? r.toString('base64') : 'no path'
}

export interface StrangersLock {
  readonly clusterId: string
  /** Ed25519, by name. */
  readonly keys: ReadonlyMap<string, Uint8Array>
  readonly required: number
}

function checkNode(node: NodePart, statement: string, lock: StrangersLock): readonly string[] {
  const [text = '', signed = ''] = node.checkpoint.split('\n\n')
  const [origin, size, root] = text.split('\n')
  if (origin !== `conclave/${lock.clusterId}/${node.node}`) return [`${node.node}: another log`]
  const cosigned = new Set<string>()
  let isOwn = false
  for (const line of signed.trim().split('\n')) {
    const [, name = '', encoded = ''] = line.split(' ')
    const [who, bytes] = [name.split('/').at(-1) ?? '', Buffer.from(encoded, 'base64')]
    const key = lock.keys.get(who)
    if (key === undefined) continue
    if (who === node.node) isOwn ||= isSigned(key, Buffer.from(`${text}\n`), bytes.subarray(4))
    else {
      const time = bytes.readBigUInt64BE(4)
      if (isSigned(key, Buffer.from(`cosignature/v1\ntime ${time}\n${text}\n`), bytes.subarray(12))) cosigned.add(who)
    }
  }
  const wrong: string[] = []
  if (!isOwn) wrong.push(`${node.node}: its log did not sign`)
  if (cosigned.size < lock.required) wrong.push(`${node.node}: ${cosigned.size} cosignatures`)
  for (const entry of node.entries) {
    const leaf = sha256(Buffer.of(0), Buffer.from(entry.text))
    if (rootFrom(leaf, entry.index, Number(size), entry.proof) !== root) wrong.push(`${node.node}: entry ${entry.index}`)
  }
  const said = node.entries.map((e) => JSON.parse(e.text) as Said)
  const binds = (kind: string) => said.some((e) => e.kind === kind && e.node === node.node && e.details.statement === statement)
  if (!binds('request.allowed') || !binds('session.started')) wrong.push(`${node.node}: no verdict on this statement`)
  return wrong
}

/** What a stranger finds wrong with a receipt; empty when it holds. */
export function strangersFindings(bytes: Uint8Array, lock: StrangersLock): readonly string[] {
  const receipt = JSON.parse(Buffer.from(bytes).toString('utf8')) as Receipt
  const hash = T('statement', hex(receipt.statement))
  const wrong = receipt.nodes.flatMap((n) => checkNode(n, hash.toString('hex'), lock))
  for (const item of receipt.items) {
    const summary = T('summary', Buffer.from('evm.tx'), ...item.summary.flatMap((l) => [Buffer.from(l.label), Buffer.from(l.value)]))
    for (const [what, digest] of [
      ['payload', T('payload', hex(item.payload))],
      ['summary', summary],
    ] as const)
      if (!receipt.statement.includes(digest.toString('hex'))) wrong.push(`another ${what}`)
  }
  for (const a of receipt.approvals) {
    const approver = receipt.policy.approvers.find((p) => p.id === a.approver)
    const message = T('approval', hash, Buffer.from('approve'), Buffer.from(a.approver), be(a.atMs, 8))
    if (!isSigned(hex(approver?.keys?.[0]?.replace('ed25519:', '') ?? ''), message, hex(a.signature)))
      wrong.push(`approval of ${a.approver}`)
  }
  return wrong
}
