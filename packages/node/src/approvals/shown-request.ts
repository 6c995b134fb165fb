import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConclaveError, ConfigError, equalBytes, fromHex, parsePath, payloadHash, toHex } from '@conclave/core'
import {
  approvalHash,
  type Decision,
  type Decoding,
  decodePayload,
  decodeStatement,
  digestsAt,
  loadDecoding,
  type Statement,
  type StatementItem,
  type SummaryLine,
  statementHash,
  summaryHash,
} from '@conclave/policy'
import { askAdmin } from '../admin-client.ts'
import { readLock } from '../daemon.ts'
import { SETTINGS_FILE } from '../init.ts'
import { readSettings } from '../settings.ts'
import type { AdminRequest, AdminRequestDetails } from './approval-desk.ts'
import { approverSigner } from './approver-key.ts'

/** A request as a person sees it: read from the payload in this process, not by the node. */
export interface ShownRequest {
  readonly details: AdminRequestDetails
  readonly statement: Statement
  /** Of that statement, computed here. */
  readonly hash: Uint8Array
  /** Of each item. */
  readonly summaries: readonly (readonly SummaryLine[])[]
}

function differs(what: string): never {
  throw new ConclaveError(
    'STATEMENT_MISMATCH',
    `the statement of the node is not of this request: another ${what}. Approve nothing, and find out why`,
  )
}

function checkItem(details: AdminRequestDetails, i: number, item: StatementItem | undefined, decoding: Decoding): readonly SummaryLine[] {
  const { path, payload: hex } = details.items[i] ?? differs('number of items')
  const key = { publicKey: fromHex(details.key.publicKey), chainCode: fromHex(details.key.chainCode) }
  const payload = decodePayload(details.payloadType, fromHex(hex), { ...decoding, key })
  if (item === undefined) differs('number of items')
  if (!equalBytes(item.payloadHash, payloadHash(fromHex(hex)))) differs('payload')
  if (!equalBytes(item.summaryHash, summaryHash(details.payloadType, payload.summary))) differs('summary')
  const digests = digestsAt(payload, parsePath(path))
  const isSame = (d: (typeof digests)[number], j: number) => {
    const stated = item.digests[j]
    return stated !== undefined && equalBytes(stated.digest, d.digest) && stated.path.join() === d.path.join()
  }
  if (digests.length !== item.digests.length || !digests.every(isSame)) differs('digest')
  return payload.summary
}

/**
 * Reads what a node says of a request, and believes none of it that can be computed: payloads are decoded here, and the statement has to
 * be theirs, of this cluster.
 *
 * @throws {ConclaveError} STATEMENT_MISMATCH; {InvalidArgument} BAD_STATEMENT, PAYLOAD_UNDECODABLE.
 */
export function checkShown(details: AdminRequestDetails, clusterId: string, decoding: Decoding): ShownRequest {
  const statement = decodeStatement(fromHex(details.statement))
  if (!equalBytes(statement.clusterId, fromHex(clusterId))) differs('cluster')
  if (!equalBytes(statement.requestId, fromHex(details.requestId))) differs('request')
  if (statement.keyId !== details.keyId) differs('key')
  if (statement.payloadType !== details.payloadType) differs('payload type')
  if (statement.items.length !== details.items.length) differs('number of items')
  const summaries = details.items.map((_, i) => checkItem(details, i, statement.items[i], decoding))
  return { details, statement, hash: statementHash(statement), summaries }
}

const REQUEST_ID = /^[0-9a-f]{64}$/

/** Requests that wait for people at the node of this directory. */
export async function readInbox(dir: string): Promise<readonly AdminRequest[]> {
  const { adminSocket } = readSettings(join(dir, SETTINGS_FILE))
  return ((await askAdmin(adminSocket, '/v1/inbox')) as { requests: readonly AdminRequest[] }).requests
}

/** @param requestId - hex. @throws {ConfigError} BAD_REQUEST_ID; what {@link checkShown} throws, and what the node answers. */
export async function readShown(dir: string, requestId: string): Promise<ShownRequest> {
  if (!REQUEST_ID.test(requestId)) throw new ConfigError('BAD_REQUEST_ID', 'a request id is 64 lower-case hexadecimal digits')
  const settings = readSettings(join(dir, SETTINGS_FILE))
  const details = (await askAdmin(settings.adminSocket, `/v1/requests/${requestId}`)) as AdminRequestDetails
  const { clusterId } = await readLock(settings.lockFile)
  const decoding = await loadDecoding(settings.decoding, (file) => readFile(file, 'utf8'))
  return checkShown(details, clusterId, decoding)
}

export interface DecideOptions {
  readonly dir: string
  readonly decision: Decision
  /** Id of the approver. */
  readonly approver: string
  /** A file with an Ed25519 key; without it the node signs with its identity key, in its HSM. */
  readonly keyFile?: string | undefined
  /** A file with the approver's ML-DSA-65 key, where the policy names one. */
  readonly pqKeyFile?: string | undefined
  readonly nowMs: number
}

/** Says yes or no to exactly what was shown. @returns whether the node had not heard it before. */
export async function decide({ hash, details }: ShownRequest, o: DecideOptions): Promise<boolean> {
  const { adminSocket } = readSettings(join(o.dir, SETTINGS_FILE))
  const { decision, approver, nowMs: atMs, keyFile, pqKeyFile } = o
  const word = { statement: toHex(hash), decision, approver }
  const ask = async (path: string, body: object) => ((await askAdmin(adminSocket, path, body)) as { isNew: boolean }).isNew
  const message = approvalHash({ statement: hash, decision, approver, atMs })
  const pq = pqKeyFile === undefined ? undefined : toHex((await approverSigner(pqKeyFile, 'ml-dsa-65'))(message))
  if (keyFile === undefined)
    return ask(`/v1/requests/${details.requestId}:decide`, { ...word, ...(pq === undefined ? {} : { second: { atMs, pq } }) })
  const signature = toHex((await approverSigner(keyFile))(message))
  return ask(`/v1/requests/${details.requestId}/approvals`, { ...word, atMs, signature, ...(pq === undefined ? {} : { pq }) })
}
