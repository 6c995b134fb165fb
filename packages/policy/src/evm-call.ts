import { toHex } from '@conclave/core'
import { type AbiMethod, abiMethod, methodAt } from './contract-abi.ts'
import type { DecodeContext } from './decode-context.ts'
import { type AbiArgument, argumentsOf, type Value } from './evm-arguments.ts'
import type { Amount, Destination } from './payload-facts.ts'
import { quoted } from './printable.ts'
import type { SummaryLine } from './summary.ts'

/** What the data of a transaction does, beside paying its value to the contract. */
export interface EvmCall {
  readonly call: 'none' | 'known' | 'blind'
  readonly method: string | undefined
  readonly destinations: readonly Destination[]
  /** Of tokens. */
  readonly amounts: readonly Amount[]
  /** Without those that every transaction has. */
  readonly lines: readonly SummaryLine[]
}

/** Leaves of decoded arguments above this are not shown to a person, so the call is blind. */
export const CALL_VALUES_MAX = 256
const SELECTOR_BYTES = 4
const UINT256_MAX = (1n << 256n) - 1n

const NO_CALL: EvmCall = { call: 'none', method: undefined, destinations: [], amounts: [], lines: [] }
const BLIND: EvmCall = {
  ...{ call: 'blind', method: undefined, destinations: [], amounts: [] },
  lines: [{ label: 'Warning', value: 'the call is not understood: it can do whatever the contract lets this key do' }],
}

// A token contract knows these by heart; ERC-721 shares the last two, with the id of a token where the amount is.
const TRANSFER = abiMethod('function transfer(address to, uint256 amount)')
const APPROVE = abiMethod('function approve(address spender, uint256 amount)')
const TRANSFER_FROM = abiMethod('function transferFrom(address from, address to, uint256 amount)')
const TOKEN_METHODS: ReadonlyMap<string, AbiMethod> = new Map([TRANSFER, APPROVE, TRANSFER_FROM].map((m) => [m.selector, m]))

function isTokenMethod(method: AbiMethod): boolean {
  return TOKEN_METHODS.get(method.selector) === method
}

const units = (amount: bigint) => (amount === UINT256_MAX ? `unlimited (${amount})` : `${amount} base units`)
const orToken = (amount: bigint) => `${units(amount)}; of an ERC-721 contract: the token of that number`

function tokenCall(method: AbiMethod, token: string, values: readonly Value[]): EvmCall {
  const amount = values.at(-1) as bigint
  const to = values.at(-2) as string
  const lines: SummaryLine[] = [
    { label: 'Method', value: method.signature },
    { label: 'Token contract', value: token },
  ]
  if (method === TRANSFER_FROM) lines.push({ label: 'Token owner', value: values[0] as string })
  lines.push({ label: method === APPROVE ? 'Token spender' : 'Token recipient', value: to })
  lines.push({ label: method === APPROVE ? 'Token allowance' : 'Token amount', value: (method === TRANSFER ? units : orToken)(amount) })
  return { call: 'known', method: method.signature, destinations: [{ id: to, text: to }], amounts: [{ asset: token, amount }], lines }
}

interface Shown {
  readonly name: string
  readonly type: string
  readonly value: Value
}

/** Every leaf with its place, like `orders[2].amount`. */
function leavesOf(param: AbiArgument, place: string, value: Value): readonly Shown[] {
  const type = param.type ?? ''
  if (!Array.isArray(value)) return [{ name: place, type, value }]
  if (value.length === 0) return [{ name: place, type, value: 'empty' }]
  const array = /^(.*)\[\d*\]$/.exec(type)
  if (array !== null) {
    const item = { ...param, type: array[1] as string }
    return value.flatMap((v, i) => leavesOf(item, `${place}[${i}]`, v))
  }
  const components = (param as { readonly components?: readonly AbiArgument[] }).components ?? []
  return value.flatMap((v, i) => leavesOf(components[i] as AbiArgument, `${place}.${components[i]?.name || i}`, v))
}

function showLeaf({ type, value }: Shown): string {
  return type === 'string' ? quoted(String(value)) : String(value)
}

function abiCall(method: AbiMethod, values: readonly Value[]): EvmCall {
  const inputs = method.json.inputs ?? []
  const leaves = values.flatMap((v, i) => leavesOf(inputs[i] as AbiArgument, inputs[i]?.name || String(i), v))
  if (leaves.length > CALL_VALUES_MAX) return BLIND
  const shown = leaves.map((leaf) => ({ label: `Argument ${leaf.name} (${leaf.type})`, value: showLeaf(leaf) }))
  const lines = [{ label: 'Method', value: method.signature }, ...shown]
  return { call: 'known', method: method.signature, destinations: [], amounts: [], lines }
}

/**
 * What a call does, by the three methods of ERC-20 that move value and by the operator's own ABIs. Data that is not the one encoding of a known
 * method's arguments is a blind call.
 *
 * @throws {InvalidArgument} PAYLOAD_UNDECODABLE when two libraries read the arguments differently.
 */
export function decodeCall(
  tx: { readonly chainId: bigint; readonly to: string; readonly data: Uint8Array },
  context: DecodeContext,
): EvmCall {
  const { chainId, to, data } = tx
  if (data.length === 0) return NO_CALL
  const selector = `0x${toHex(data.subarray(0, SELECTOR_BYTES))}`
  const method = TOKEN_METHODS.get(selector) ?? methodAt(context.contracts ?? [], { chainId, address: to, selector })
  const values = method === undefined || data.length < SELECTOR_BYTES ? undefined : argumentsOf(method, data.subarray(SELECTOR_BYTES))
  if (method === undefined || values === undefined) return BLIND
  return isTokenMethod(method) ? tokenCall(method, to, values) : abiCall(method, values)
}
