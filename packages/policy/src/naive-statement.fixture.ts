// docs/spec/statement.md written a second time, with nothing of ours, to check the encoder against.
import { createHash } from 'node:crypto'

/** A statement as the vectors have it: bytes in hex, paths as text. */
export interface PlainStatement {
  readonly clusterId: string
  readonly requestId: string
  readonly keyId: string
  readonly keyEpoch: number
  readonly payloadType: string
  readonly items: readonly {
    readonly payloadHash: string
    readonly summaryHash: string
    readonly digests: readonly { readonly path: string; readonly digest: string }[]
  }[]
  readonly policySequence: number
  readonly policyHash: string
  readonly notBeforeMs: number
  readonly expiresAtMs: number
  readonly requester: string
  readonly nonce: string
}

/** Hex of a length in `digits` hex digits and of the bytes after it. */
const prefixed = (hex: string, digits: number) => (hex.length / 2).toString(16).padStart(digits, '0') + hex
const part = (hex: string) => prefixed(hex, 8)
const ascii = (text: string) => Buffer.from(text, 'latin1').toString('hex')
const number = (value: number, digits: number) => BigInt(value).toString(16).padStart(digits, '0')

function path(text: string): string {
  const [, ...levels] = text.split('/')
  return levels.map((level) => number(Number(level), 8)).join('')
}

export function naiveStatementBytes(s: PlainStatement): string {
  const items = s.items.map(({ payloadHash, summaryHash, digests }) => {
    const list = digests.map((d) => part(part(path(d.path)) + part(d.digest))).join('')
    return part(part(payloadHash) + part(summaryHash) + part(list))
  })
  const fields = [ascii('conclave-statement/1'), s.clusterId, s.requestId, ascii(s.keyId), number(s.keyEpoch, 8), ascii(s.payloadType)]
  fields.push(items.join(''), number(s.policySequence, 8), s.policyHash, number(s.notBeforeMs, 16), number(s.expiresAtMs, 16))
  fields.push(ascii(s.requester), s.nonce)
  return fields.map(part).join('')
}

/** SHA-256 of the label and of every part with its 64-bit length. */
export function naiveTagged(label: string, ...parts: readonly string[]): string {
  const hash = createHash('sha256').update(`conclave/v1/${label}`)
  for (const hex of parts) hash.update(prefixed(hex, 16), 'hex')
  return hash.digest('hex')
}
