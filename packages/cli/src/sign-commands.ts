import { open } from 'node:fs/promises'
import { type Payload, type RequestSignature, signRequest, type TypedData, typedDataPayload } from '@conclave/client'
import { ConfigError, InvalidArgument } from '@conclave/core'
import { approverSigner, readLock } from '@conclave/node'
import type { Command } from 'commander'
import { type ApiOptions, addApiCommand, clientOf } from './coordinator-api.ts'
import { guarded, type Output, terminal } from './output.ts'
import { finish } from './signed-result.ts'

interface Signing extends ApiOptions {
  readonly key: string
  readonly path?: string
  readonly in: string
  readonly deadline?: string
  readonly idempotencyKey?: string
  readonly as?: string
  readonly requestKey?: string
  readonly lock?: string
  readonly waitApprovals?: true
  readonly wait: boolean
}

/** More than any payload that a coordinator takes, in hexadecimal text. */
const INPUT_BYTES_MAX = 512 * 1024
const HEX = /^(?:0x)?((?:[0-9a-f]{2})+)$/i
const SECONDS = /^\d{1,6}(?:\.\d{1,3})?$/

/** What a file holds, or standard input for `-`. @throws {ConfigError} INPUT_UNREADABLE, INPUT_TOO_LONG. */
async function readInput(file: string): Promise<Buffer> {
  const parts: Buffer[] = []
  let bytes = 0
  try {
    const stream = file === '-' ? process.stdin : (await open(file)).createReadStream()
    for await (const part of stream) {
      parts.push(part as Buffer)
      bytes += (part as Buffer).length
      if (bytes > INPUT_BYTES_MAX) break
    }
  } catch (cause) {
    throw new ConfigError('INPUT_UNREADABLE', `cannot read ${file}`, { file }, cause)
  }
  if (bytes > INPUT_BYTES_MAX) throw new ConfigError('INPUT_TOO_LONG', `${file} has more than ${INPUT_BYTES_MAX} bytes`, { file })
  return Buffer.concat(parts)
}

function hexPayload(type: string, bytes: Buffer): Payload {
  const hex = HEX.exec(bytes.toString('latin1').trim())?.[1]
  if (hex === undefined) throw new InvalidArgument('BAD_HEX', 'hexadecimal text is wanted, with or without 0x')
  return { type, bytes: `0x${hex.toLowerCase()}` }
}

function psbtPayload(bytes: Buffer): Payload {
  const isBinary = bytes.subarray(0, 4).toString('latin1') === 'psbt'
  return { type: 'btc.psbt', bytes: `0x${(isBinary ? bytes : Buffer.from(bytes.toString('latin1').trim(), 'base64')).toString('hex')}` }
}

function typedPayload(bytes: Buffer): Payload {
  let typed: Partial<TypedData> | null
  try {
    typed = JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new InvalidArgument('BAD_TYPED_DATA', 'typed data is JSON', {}, cause)
  }
  const { types, primaryType, domain, message } = typed ?? {}
  const areObjects = [types, domain, message].every((part) => typeof part === 'object' && part !== null)
  if (!areObjects || typeof primaryType !== 'string')
    throw new InvalidArgument('BAD_TYPED_DATA', 'typed data has types, primaryType, domain and message')
  return typedDataPayload(typed as TypedData)
}

/** The request, signed by its requester where the policy names them. @throws {InvalidArgument} BAD_OPTIONS. */
async function signedBy(request: RequestSignature, { as, requestKey, lock }: Signing): Promise<RequestSignature> {
  if (as === undefined && requestKey === undefined && lock === undefined) return request
  if (as === undefined || requestKey === undefined || lock === undefined)
    throw new InvalidArgument('BAD_OPTIONS', '--as, --request-key and --lock belong together')
  const sign = await approverSigner(requestKey)
  return signRequest(request, { clusterId: (await readLock(lock)).clusterId, name: as, sign })
}

async function sign(payload: Payload, o: Signing, output: Output): Promise<void> {
  const { key: keyId, path, deadline, idempotencyKey } = o
  if (deadline !== undefined && !SECONDS.test(deadline)) throw new InvalidArgument('BAD_OPTIONS', '--deadline is a number of seconds')
  const request: RequestSignature = {
    ...{ keyId, payload },
    ...(path === undefined ? {} : { derivationPath: path }),
    ...(deadline === undefined ? {} : { deadlineMs: Math.round(1000 * Number(deadline)) }),
  }
  const client = await clientOf(o)
  const asked = { ...(await signedBy(request, o)), ...(idempotencyKey === undefined ? {} : { idempotencyKey }) }
  const { requestId, state, summary } = await client.requestSignature(asked)
  const isJson = o.json === true
  if (!o.wait) return output.print(isJson ? JSON.stringify({ requestId, state, summary }) : requestId)
  for (const { label, value } of isJson ? [] : (summary ?? [])) output.progress(`${label}: ${value}`)
  const seen = isJson ? {} : { seen: (r: { state: string }) => output.progress(`request ${requestId}: ${r.state}`) }
  finish(await client.settled(requestId, { ...seen, ...(o.waitApprovals === true ? {} : { until: 'pending_approval' }) }), isJson, output)
}

const KINDS = [
  ['evm-tx', 'an unsigned EVM transaction, in hexadecimal; the result is the raw transaction', (b: Buffer) => hexPayload('evm.tx', b)],
  ['psbt', 'a PSBT, in base64 or binary; the result is the PSBT with the signatures of the key', psbtPayload],
  ['typed-data', 'EIP-712 typed data, in JSON; the result is the signature', typedPayload],
  ['raw', 'a bare digest of 32 bytes, in hexadecimal, where the policy has a rule for that', (b: Buffer) => hexPayload('raw', b)],
] as const

/** `conclave sign evm-tx | psbt | typed-data | raw`. */
export function addSignCommands(program: Command, output: Output = terminal): void {
  const group = program.command('sign').description('have the cluster sign, as far as its policy and approvers allow')
  for (const [name, description, payloadOf] of KINDS) {
    addApiCommand(group, name, description)
      .requiredOption('--key <id>', 'the key')
      .option('--path <path>', 'of the child that signs, e.g. m/0/5; default: m, the key itself')
      .requiredOption('--in <file>', 'what is to be signed; - is standard input')
      .option('--as <name>', 'the requester, where the policy names requesters')
      .option('--request-key <file>', 'Ed25519 key of that requester')
      .option('--lock <file>', 'cluster lock, for which the requester signs')
      .option('--deadline <seconds>', 'for how long the request may wait; default: what the coordinator says')
      .option('--idempotency-key <text>', 'the same text asks again for the same, also after a crash')
      .option('--wait-approvals', 'wait for people too, instead of ending with exit code 3')
      .option('--no-wait', 'print the id of the request and do not wait')
      .action(guarded(async (o: Signing) => sign(payloadOf(await readInput(o.in)), o, output)))
  }
}
