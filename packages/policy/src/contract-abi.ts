import { ConfigError, messageOf } from '@conclave/core'
import { FunctionFragment, type JsonFragment } from 'ethers/abi'
import { z } from 'zod'
import { parseEvmAddress } from './evm-address.ts'

export const ABI_CHARS_MAX = 1 << 20
export const ABI_METHODS_MAX = 1024
const ARGUMENTS_MAX = 64
const NAME = /^[A-Za-z_$][A-Za-z0-9_$]{0,127}$/

/** One method that an operator vouches for. */
export interface AbiMethod {
  /** Like `transfer(address,uint256)`. */
  readonly signature: string
  /** 4 bytes, 0x hex: the beginning of the call data. */
  readonly selector: string
  readonly fragment: FunctionFragment
  /** The entry of the ABI that it was read from. */
  readonly json: JsonFragment
}

/** The methods of a contract, and where it is one: at an address, on a chain, or anywhere. */
export interface ContractAbi {
  readonly chainId: bigint | undefined
  /** EIP-55. */
  readonly address: string | undefined
  /** By selector. */
  readonly methods: ReadonlyMap<string, AbiMethod>
}

export interface AbiPlace {
  readonly chainId?: bigint | undefined
  readonly address?: string | undefined
}

const argument: z.ZodType<unknown> = z.lazy(() =>
  z.object({
    name: z.union([z.literal(''), z.string().regex(NAME)]).optional(),
    type: z.string().max(128),
    components: z.array(argument).max(ARGUMENTS_MAX).optional(),
  }),
)
const method = z.object({ type: z.literal('function'), name: z.string().regex(NAME), inputs: z.array(argument).max(ARGUMENTS_MAX) })
const entries = z.array(z.looseObject({ type: z.string() })).max(4 * ABI_METHODS_MAX)
const abiFile = z.union([entries, z.looseObject({ abi: entries }).transform(({ abi }) => abi)])

function badAbi(file: string, message: string, cause?: unknown): ConfigError {
  return new ConfigError('BAD_ABI', `${file}: ${message}`, { file }, cause)
}

/** A method of an ABI or of Solidity's text. @throws the library's error. */
export function abiMethod(source: JsonFragment | string): AbiMethod {
  const fragment = FunctionFragment.from(source)
  const json = JSON.parse(fragment.format('json')) as JsonFragment
  return { signature: fragment.format('sighash'), selector: fragment.selector, fragment, json }
}

/**
 * Reads an ABI file as compilers write it: the JSON list, or an artifact with the list in its field `abi`. Events, errors and constructors are
 * left aside.
 *
 * @param file - its name, for messages.
 * @throws {ConfigError} BAD_ABI, BAD_ADDRESS.
 */
export function parseAbi(text: string, place: AbiPlace = {}, file = 'abi'): ContractAbi {
  if (text.length > ABI_CHARS_MAX) throw badAbi(file, `more than ${ABI_CHARS_MAX} characters`)
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw badAbi(file, 'not JSON', cause)
  }
  const read = abiFile.safeParse(json)
  if (!read.success) throw badAbi(file, 'not a list of ABI entries, nor an artifact with one', read.error)
  const methods = new Map<string, AbiMethod>()
  for (const [i, entry] of read.data.entries()) {
    if (entry.type !== 'function') continue
    try {
      const found = abiMethod(method.parse(entry) as JsonFragment)
      // Which of the two was meant nobody could see.
      if (methods.has(found.selector)) throw new RangeError(`${found.signature} has the selector of another method`)
      methods.set(found.selector, found)
    } catch (cause) {
      throw badAbi(file, `entry ${i}: ${cause instanceof z.ZodError ? 'not a method' : messageOf(cause)}`, cause)
    }
  }
  if (methods.size === 0 || methods.size > ABI_METHODS_MAX) throw badAbi(file, `an ABI has 1 to ${ABI_METHODS_MAX} methods`)
  return { chainId: place.chainId, address: place.address === undefined ? undefined : parseEvmAddress(place.address), methods }
}

/** The more a place says, the closer it is. */
const closeness = ({ chainId, address }: ContractAbi) => (address === undefined ? 0 : 2) + (chainId === undefined ? 0 : 1)

/** The method at an address: of the ABI whose place says most, and of several such the first. */
export function methodAt(
  contracts: readonly ContractAbi[],
  { chainId, address, selector }: { readonly chainId: bigint; readonly address: string; readonly selector: string },
): AbiMethod | undefined {
  const here = contracts.filter((c) => (c.chainId ?? chainId) === chainId && (c.address ?? address) === address && c.methods.has(selector))
  return here.toSorted((a, b) => closeness(b) - closeness(a))[0]?.methods.get(selector)
}
