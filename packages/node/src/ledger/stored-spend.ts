import { messageOf } from '@conclave/core'
import type { Spend } from '@conclave/policy'
import { decode, encode, StoredSpend } from '@conclave/wire'
import { StoreError } from '../store/store.ts'

/** What one request may have spent. */
export interface RequestSpend {
  readonly atMs: number
  /** Of each item one. */
  readonly spends: readonly Spend[]
}

function eight(ms: number): Uint8Array {
  const out = new Uint8Array(8)
  new DataView(out.buffer).setBigUint64(0, BigInt(ms))
  return out
}

export function encodeSpend(requestId: Uint8Array, { atMs, spends }: RequestSpend): Uint8Array {
  const items = spends.map(({ rule, chainId, measures }) => ({
    rule,
    chainId: chainId === undefined ? '' : `${chainId}`,
    measures: [...measures].map(([name, amount]) => ({ name, amount: `${amount}` })),
  }))
  return encode(StoredSpend, { requestId, keyId: spends[0]?.keyId ?? '', at: eight(atMs), items })
}

const DECIMAL = /^(0|[1-9][0-9]*)$/

function decimal(text: string): bigint {
  if (!DECIMAL.test(text)) throw new RangeError('not a whole number')
  return BigInt(text)
}

/** @throws {StoreError} STORE_CORRUPT: a spend that cannot be read is not taken for none. */
export function decodeSpend(name: string, value: Uint8Array): RequestSpend {
  try {
    const { keyId, at, items } = decode(StoredSpend, value)
    const spends = items.map(({ rule, chainId, measures }) => ({
      ...{ keyId, rule, chainId: chainId === '' ? undefined : decimal(chainId) },
      measures: new Map(measures.map((m) => [m.name, decimal(m.amount)])),
    }))
    return { atMs: Number(new DataView(at.buffer, at.byteOffset, 8).getBigUint64(0)), spends }
  } catch (cause) {
    throw new StoreError('STORE_CORRUPT', `what request ${name} has spent cannot be read: ${messageOf(cause)}`, { cause })
  }
}
