import { concat, fromHex, InvalidArgument, toHex, utf8 } from '@conclave/core'
import type { SealContext } from './key-vault.ts'

const TAG = 'conclave-share-v1'
const TEXT_BYTES_MAX = 128
export const CONTEXT_BYTES_MAX = 640

// Tags are never reused for another field.
const FIELD = { format: 0, clusterId: 1, nodeId: 2, recordType: 3, keyId: 4, epoch: 5, version: 6 } as const

/** Printable ASCII only: two strings that look alike are alike. */
const TEXT = /^[\x21-\x7e]{1,128}$/
const CLUSTER_ID = /^[0-9a-f]{64}$/

function field(tag: number, value: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(tag, value.length >> 8, value.length & 0xff), value)
}

function u64(value: number): Uint8Array {
  const out = new Uint8Array(8)
  new DataView(out.buffer).setBigUint64(0, BigInt(value))
  return out
}

/** @throws {InvalidArgument} BAD_CONTEXT naming the field. */
export function checkContext(context: SealContext): void {
  const refuse = (name: string): never => {
    throw new InvalidArgument('BAD_CONTEXT', `seal context: "${name}" is not valid`, { field: name })
  }
  if (!CLUSTER_ID.test(context.clusterId)) refuse('clusterId')
  for (const name of ['nodeId', 'recordType', 'keyId'] as const) if (!TEXT.test(context[name])) refuse(name)
  for (const name of ['epoch', 'version'] as const) if (!Number.isSafeInteger(context[name]) || context[name] < 0) refuse(name)
}

/**
 * The canonical AAD: tag, 16-bit length and value of each field, in a fixed order, so no two contexts share an encoding.
 *
 * @throws {InvalidArgument} BAD_CONTEXT
 */
export function encodeContext(context: SealContext): Uint8Array {
  checkContext(context)
  return concat(
    field(FIELD.format, utf8(TAG)),
    field(FIELD.clusterId, fromHex(context.clusterId)),
    field(FIELD.nodeId, utf8(context.nodeId)),
    field(FIELD.recordType, utf8(context.recordType)),
    field(FIELD.keyId, utf8(context.keyId)),
    field(FIELD.epoch, u64(context.epoch)),
    field(FIELD.version, u64(context.version)),
  )
}

/** Strict inverse of encodeContext; undefined for anything that it would not have written. */
export function decodeContext(bytes: Uint8Array): SealContext | undefined {
  const values: Uint8Array[] = []
  let at = 0
  for (const tag of Object.values(FIELD)) {
    if (at + 3 > bytes.length || bytes[at] !== tag) return undefined
    const length = (bytes[at + 1]! << 8) | bytes[at + 2]!
    if (length > TEXT_BYTES_MAX || at + 3 + length > bytes.length) return undefined
    values.push(bytes.subarray(at + 3, at + 3 + length))
    at += 3 + length
  }
  if (at !== bytes.length) return undefined
  const [format, clusterId, nodeId, recordType, keyId, epoch, version] = values as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ]
  if (latin1(format) !== TAG || epoch.length !== 8 || version.length !== 8) return undefined
  const context: SealContext = {
    clusterId: toHex(clusterId),
    nodeId: latin1(nodeId),
    recordType: latin1(recordType),
    keyId: latin1(keyId),
    epoch: number(epoch),
    version: number(version),
  }
  try {
    checkContext(context)
  } catch {
    // Not a context that encodeContext accepts, hence not one that it wrote.
    return undefined
  }
  return context
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}

function number(bytes: Uint8Array): number {
  return Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0))
}

/** Name of the first field that differs, `version` aside. */
export function contextMismatch(expected: SealContext, actual: SealContext): keyof SealContext | undefined {
  return (['clusterId', 'nodeId', 'recordType', 'keyId', 'epoch'] as const).find((name) => expected[name] !== actual[name])
}
