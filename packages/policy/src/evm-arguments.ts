import { equalBytes, fromHex, toHex } from '@conclave/core'
import { AbiCoder } from 'ethers/abi'
import { createContract, type ParsedABI } from 'micro-eth-signer/abi.js'
import type { AbiMethod } from './contract-abi.ts'
import { undecodable } from './payload-facts.ts'

/** A decoded argument: bytes and addresses as hex, structs and arrays as lists. */
export type Value = string | bigint | boolean | readonly Value[]

const coder = AbiCoder.defaultAbiCoder()

/** The other library's values in the forms of the first: bytes and addresses as hex, structs as lists. */
function plainValue(value: unknown): Value {
  if (value instanceof Uint8Array) return `0x${toHex(value)}`
  if (typeof value === 'object' && value !== null) return Object.values(value).map(plainValue)
  if (typeof value === 'number') return BigInt(value)
  return value as Value
}

const sameText = (a: string, b: string) => a === b || (a.startsWith('0x') && a.toLowerCase() === b.toLowerCase())

function sameValue(a: Value, b: Value): boolean {
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((v, i) => sameValue(v, b[i] as Value))
  return typeof a === 'string' && typeof b === 'string' ? sameText(a, b) : a === b
}

/** What a second library makes of the arguments; a single one it returns bare. */
function secondValues({ json }: AbiMethod, args: Uint8Array): readonly Value[] {
  const inputs = json.inputs ?? []
  const abi = [{ type: 'function', name: 'read', inputs: [], outputs: inputs.map(readable) }] as unknown as ParsedABI
  const values = createContract(abi).read?.decodeOutput(args)
  return inputs.length === 1 ? [plainValue(values)] : (plainValue(values) as readonly Value[])
}

export type AbiArgument = NonNullable<AbiMethod['json']['inputs']>[number]

/** Without names: an object would give numbered names first. */
function readable({ type, components }: AbiArgument): unknown {
  return { name: '', type, ...(components === undefined ? {} : { components: components.map(readable) }) }
}

/**
 * Has a second, independent library decode the arguments.
 *
 * @param values - what the first one made of them.
 * @throws {InvalidArgument} PAYLOAD_UNDECODABLE when it reads anything else.
 */
export function confirmArguments(method: AbiMethod, args: Uint8Array, values: readonly Value[]): void {
  const isSame = method.fragment.inputs.length === 0 || sameValue(values, secondValues(method, args))
  if (!isSame) undecodable('evm.tx', 'two libraries read the call differently')
}

/**
 * The arguments of a call, of which there is one encoding.
 *
 * @param args - the call data behind the selector.
 * @returns undefined when that is not the encoding of such arguments.
 * @throws {InvalidArgument} PAYLOAD_UNDECODABLE when two libraries read them differently.
 */
export function argumentsOf(method: AbiMethod, args: Uint8Array): readonly Value[] | undefined {
  const { inputs } = method.fragment
  let values: readonly Value[]
  try {
    const decoded = coder.decode(inputs, args)
    if (!equalBytes(fromHex(coder.encode(inputs, decoded.toArray()).slice(2)), args)) return undefined
    values = decoded.toArray(true) as readonly Value[]
  } catch {
    // Whatever the library dislikes about the data: no arguments of this method.
    return undefined
  }
  confirmArguments(method, args, values)
  return values
}
