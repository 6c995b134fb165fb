import { canonicalJson, type JsonValue, toHex, utf8 } from '@conclave/core'
import type { Payload } from './resources.ts'

/** The members of a domain, in the order in which EIP-712 hashes them. */
const DOMAIN: readonly (readonly [name: string, type: string])[] = [
  ['name', 'string'],
  ['version', 'string'],
  ['chainId', 'uint256'],
  ['verifyingContract', 'address'],
  ['salt', 'bytes32'],
]

/** EIP-712 typed data as wallets take it; integers beyond 2^53 are text. */
export interface TypedData {
  readonly types: Readonly<Record<string, readonly { readonly name: string; readonly type: string }[]>>
  readonly primaryType: string
  readonly domain: { readonly [name: string]: JsonValue }
  readonly message: { readonly [name: string]: JsonValue }
}

/**
 * The payload of typed data: its one text (RFC 8785), with the type of the domain where it was left out.
 *
 * @throws {InvalidArgument} BAD_JSON on more than 32 levels.
 */
export function typedDataPayload({ types, primaryType, domain, message }: TypedData): Payload {
  const ownDomain = DOMAIN.filter(([name]) => Object.hasOwn(domain, name)).map(([name, type]) => ({ name, type }))
  const typed = { types: { EIP712Domain: ownDomain, ...types }, primaryType, domain, message }
  return { type: 'eip712', bytes: `0x${toHex(utf8(canonicalJson(typed)))}` }
}
