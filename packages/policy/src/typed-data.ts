import { fromHex, type JsonValue, parseCanonicalJson, toHex } from '@conclave/core'
import { SigningKey } from 'ethers/crypto'
import { TypedDataEncoder } from 'ethers/hash'
import { computeAddress } from 'ethers/transaction'
import { verifyTyped } from 'micro-eth-signer'
import { type Amount, type Destination, NO_CONTRACT, type PayloadFacts, undecodable } from './payload-facts.ts'
import type { SummaryLine } from './summary.ts'
import { objectOf, parseTypes, type TypedField, type TypedLeaf, type TypedTypes, typedLeaves } from './typed-data-fields.ts'

export const TYPED_DATA_BYTES_MAX = 64 * 1024

/** The members that a domain may have, in the order in which EIP-712 hashes them. */
const DOMAIN: readonly TypedField[] = [
  { name: 'name', type: 'string' },
  { name: 'version', type: 'string' },
  { name: 'chainId', type: 'uint256' },
  { name: 'verifyingContract', type: 'address' },
  { name: 'salt', type: 'bytes32' },
]
const DOMAIN_LABELS: Readonly<Record<string, string>> = { name: 'Domain name', version: 'Domain version', salt: 'Domain salt' }

export interface DecodedTypedData extends PayloadFacts {
  readonly type: 'eip712'
  /** 0 when the domain names none. */
  readonly chainId: bigint
  readonly primaryType: string
  /** EIP-55. */
  readonly verifyingContract: string | undefined
  /** Every value of the message. */
  readonly leaves: readonly TypedLeaf[]
  /** 32 bytes: what is signed. */
  readonly digest: Uint8Array
}

interface TypedData {
  readonly types: TypedTypes
  readonly primaryType: string
  readonly domain: JsonValue
  readonly message: JsonValue
}

// Whoever knows this key can sign nothing of worth: it only shows that two libraries hash alike.
const KNOWN_KEY = new SigningKey(`0x${'00'.repeat(31)}01`)
const KNOWN_ADDRESS = computeAddress(KNOWN_KEY.publicKey)

/**
 * Has a second library hash the same typed data. It tells no digest, only whether a signature is one of its own.
 *
 * @throws {InvalidArgument} PAYLOAD_UNDECODABLE when it hashes to anything else, or the library's own error.
 */
export function confirmTypedData(typed: TypedData, digest: Uint8Array): void {
  const { serialized } = KNOWN_KEY.sign(digest)
  const isSame = verifyTyped(serialized, typed as unknown as Parameters<typeof verifyTyped>[1], KNOWN_ADDRESS)
  if (!isSame) undecodable('eip712', 'two libraries hash it differently')
}

function parse(payload: Uint8Array): TypedData {
  if (payload.length > TYPED_DATA_BYTES_MAX) undecodable('eip712', `longer than ${TYPED_DATA_BYTES_MAX} bytes`)
  const { types, primaryType, domain, message } = objectOf(
    parseCanonicalJson(payload),
    ['types', 'primaryType', 'domain', 'message'],
    'typed data',
  )
  const parsed = parseTypes(types)
  if (typeof primaryType !== 'string' || primaryType === 'EIP712Domain' || !Object.hasOwn(parsed, primaryType))
    undecodable('eip712', 'the primary type is one of the types')
  return { types: parsed, primaryType: primaryType as string, domain: domain as JsonValue, message: message as JsonValue }
}

/** The domain's values, each of them once and as its type says. */
function readDomain({ types, domain }: TypedData): ReadonlyMap<string, string> {
  const declared = types.EIP712Domain ?? []
  const expected = DOMAIN.filter(({ name }) => declared.some((field) => field.name === name))
  const isKnown =
    declared.length === expected.length && declared.every(({ name, type }, i) => name === expected[i]?.name && type === expected[i].type)
  if (declared.length === 0 || !isKnown) undecodable('eip712', 'EIP712Domain has members that EIP-712 knows, in its order')
  return new Map(typedLeaves({ EIP712Domain: declared }, 'EIP712Domain', domain).map(({ place, text }) => [place, text]))
}

/** Two types that nothing refers to, or one that refers to itself, would leave open what is signed; the library refuses them. */
function digestOf({ types, primaryType, domain, message }: TypedData): Uint8Array {
  const { EIP712Domain: _, ...structs } = types
  const fields = Object.fromEntries(Object.entries(structs).map(([name, members]) => [name, [...members]]))
  if (TypedDataEncoder.getPrimaryType(fields) !== primaryType) undecodable('eip712', 'a type that the message does not use')
  return fromHex(TypedDataEncoder.hash(domain as object, fields, message as Record<string, unknown>).slice(2))
}

const PERMIT = 'owner:address,spender:address,value:uint256,nonce:uint256,deadline:uint256'

/** ERC-2612: a message that lets somebody take tokens, without any transaction of the key. */
function permitOf(
  leaves: readonly TypedLeaf[],
  primaryType: string,
  contract: string | undefined,
): { readonly spender: string; readonly amount: Amount } | undefined {
  if (contract === undefined || primaryType !== 'Permit' || leaves.map(({ place, type }) => `${place}:${type}`).join() !== PERMIT)
    return undefined
  const [, spender, value] = leaves.map((leaf) => leaf.text) as [string, string, string]
  return { spender, amount: { asset: contract, amount: BigInt(value) } }
}

function summarize(
  { primaryType }: TypedData,
  domain: ReadonlyMap<string, string>,
  leaves: readonly TypedLeaf[],
  digest: Uint8Array,
): readonly SummaryLine[] {
  const named = [...domain]
    .filter(([name]) => name in DOMAIN_LABELS)
    .map(([name, value]) => ({ label: DOMAIN_LABELS[name] as string, value }))
  return [
    { label: 'Type', value: 'EIP-712 typed data' },
    { label: 'Chain id', value: domain.get('chainId') ?? 'none: valid on EVERY chain' },
    { label: 'Verifying contract', value: domain.get('verifyingContract') ?? 'none: valid for EVERY contract' },
    ...named,
    { label: 'Primary type', value: primaryType },
    ...leaves.map(({ place, type, text }) => ({ label: `Field ${place} (${type})`, value: text })),
    { label: 'Digest', value: `0x${toHex(digest)}` },
  ]
}

/**
 * Decodes EIP-712 typed data: the canonical JSON (RFC 8785) of `types` (with `EIP712Domain`), `primaryType`, `domain` and `message`. The digest is that
 * of two libraries.
 *
 * Refused: any other text of the same JSON, types that are not used or refer to themselves, members that are missing or not declared, integers out of
 * range, more values than a person reads.
 *
 * @throws {InvalidArgument} PAYLOAD_UNDECODABLE, BAD_JSON, BAD_ADDRESS.
 */
export function decodeTypedData(payload: Uint8Array): DecodedTypedData {
  const typed = parse(payload)
  const domain = readDomain(typed)
  const leaves = typedLeaves(typed.types, typed.primaryType, typed.message)
  const digest = digestOf(typed)
  confirmTypedData(typed, digest)
  const chainId = BigInt(domain.get('chainId') ?? 0)
  if (domain.has('chainId') && chainId === 0n) undecodable('eip712', 'chain id 0')
  const verifyingContract = domain.get('verifyingContract')
  const contract = verifyingContract ?? NO_CONTRACT
  const permit = permitOf(leaves, typed.primaryType, verifyingContract)
  const destinations: Destination[] = [contract, ...(permit === undefined ? [] : [permit.spender])].map((id) => ({ id, text: id }))
  return {
    ...{ type: 'eip712', chainId, primaryType: typed.primaryType, verifyingContract, leaves, digest, destinations },
    changePaths: [],
    digests: [{ digest, path: undefined }],
    ...{ amounts: permit === undefined ? [] : [permit.amount], feeMax: 0n, call: 'known', method: typed.primaryType },
    summary: summarize(typed, domain, leaves, digest),
  }
}
