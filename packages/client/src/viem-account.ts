import { ConclaveError, InvalidArgument, type JsonValue } from '@conclave/core'
import {
  BaseError,
  type Hex,
  hashMessage,
  hashTypedData,
  isAddressEqual,
  keccak256,
  recoverAddress,
  serializeTransaction,
  type TransactionSerializable,
} from 'viem'
import { type LocalAccount, toAccount } from 'viem/accounts'
import type { ConclaveClient } from './client.ts'
import { badAnswer } from './problem.ts'
import type { Payload, RequestSignature } from './resources.ts'
import { type Requester, signRequest } from './signed-request.ts'
import { type TypedData, typedDataPayload } from './typed-data.ts'

export interface ConclaveAccountOptions {
  readonly client: ConclaveClient
  readonly keyId: string
  /** Of the child that signs, e.g. `m/0/5`. Default `m`, the key itself. */
  readonly path?: string
  /** What the platform knows the address to be; without it the coordinator is believed once, here. */
  readonly address?: Hex
  /** Where the policy names requesters: every request is signed by this one. */
  readonly requester?: Requester
  /** For how long a request may wait, for people too. Default: the coordinator's. */
  readonly deadlineMs?: number
  /** Lets `signMessage` ask for a bare digest, which the policy must allow by a rule of its own: no node can tell what the message says. */
  readonly allowRawMessages?: boolean
}

/** Whole numbers as decimal text, the rest as it is. */
function jsonOf(value: unknown): JsonValue {
  if (typeof value === 'bigint') return `${value}`
  if (Array.isArray(value)) return value.map(jsonOf)
  if (typeof value !== 'object' || value === null) return value as JsonValue
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, jsonOf(inner)]))
}

/** What a call of an account throws: viem takes no errors but its own. Branch on `code`; `cause` is the error with all that the nodes said. */
export class ConclaveAccountError extends BaseError {
  readonly code: string
  override readonly cause: ConclaveError

  constructor(cause: ConclaveError) {
    super(`${cause.message} (${cause.code})`, { name: 'ConclaveAccountError', details: cause.message })
    this.code = cause.code
    this.cause = cause
  }
}

function refused(what: string): ConclaveAccountError {
  const line = `${what} would be a bare digest to the nodes: nobody could tell what it stands for`
  return new ConclaveAccountError(new InvalidArgument('BARE_DIGEST', line))
}

async function orAccountError<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw error instanceof ConclaveError ? new ConclaveAccountError(error) : error
  }
}

interface Signed {
  readonly r: Hex
  readonly s: Hex
  readonly v: bigint
  readonly yParity: number
}

const textOf = ({ r, s, yParity }: Signed): Hex => `${r}${s.slice(2)}${yParity === 0 ? '1b' : '1c'}`

/**
 * A viem account whose signatures come from the cluster: transactions and typed data go there whole, and are signed as far as the policy
 * and its approvers allow. Every call waits for the end of its request and has a request of its own; a signature that is not of the account
 * is refused.
 *
 * Calls throw {@link ConclaveAccountError}: POLICY_DENIED, REJECTED, APPROVALS_MISSING, BAD_ANSWER, ...; BARE_DIGEST from `sign`, and from
 * `signMessage` unless it is allowed.
 *
 * @throws {ConclaveApiError} KEY_NOT_FOUND, ...
 * @throws {InvalidArgument} ADDRESS_MISMATCH.
 */
export async function toConclaveAccount(options: ConclaveAccountOptions): Promise<LocalAccount> {
  const { client, keyId, path = 'm', requester, deadlineMs, allowRawMessages = false } = options
  const child = path === 'm' ? await client.key(keyId) : await client.derivedKey(keyId, path)
  const address = child.address as Hex
  if (options.address !== undefined && !isAddressEqual(options.address, address)) {
    throw new InvalidArgument('ADDRESS_MISMATCH', `${keyId} ${path} is ${address} for the coordinator, and not ${options.address}`)
  }

  async function signatureOf(payload: Payload, hash: Hex): Promise<Signed> {
    const request: RequestSignature = { keyId, derivationPath: path, payload, ...(deadlineMs === undefined ? {} : { deadlineMs }) }
    const { signature, recovery } = await client.sign(requester === undefined ? request : await signRequest(request, requester))
    if (signature === null || recovery === null || !/^[0-9a-f]{128}$/.test(signature))
      throw badAnswer('a signed request without its signature')
    const yParity = recovery & 1
    const parts: Signed = { r: `0x${signature.slice(0, 64)}`, s: `0x${signature.slice(64)}`, v: BigInt(27 + yParity), yParity }
    const signer = await recoverAddress({ hash, signature: textOf(parts) }).catch(() => undefined)
    if (signer === undefined || !isAddressEqual(signer, address)) throw badAnswer(`a signature that is not of ${address}`)
    return parts
  }

  const signed = (payload: Payload, hash: Hex) => orAccountError(signatureOf(payload, hash))

  return toAccount({
    address,
    async sign() {
      throw refused('a hash')
    },
    async signMessage({ message }) {
      if (!allowRawMessages) throw refused('a message')
      const hash = hashMessage(message)
      return textOf(await signed({ type: 'raw', bytes: hash }, hash))
    },
    async signTransaction(transaction, { serializer = serializeTransaction as never } = {}) {
      const serialize = serializer as (transaction: TransactionSerializable, signature?: Signed) => Hex | Promise<Hex>
      const bytes = await serialize(transaction as TransactionSerializable)
      return serialize(transaction as TransactionSerializable, await signed({ type: 'evm.tx', bytes }, keccak256(bytes)))
    },
    async signTypedData(typed) {
      const payload = typedDataPayload(jsonOf({ domain: {}, ...typed }) as unknown as TypedData)
      return textOf(await signed(payload, hashTypedData(typed)))
    },
  }) as LocalAccount
}
