import {
  type Clock,
  type ClusterLock,
  ConclaveError,
  codeOf,
  fromHex,
  messageOf,
  type NodeMember,
  nodeOf,
  type PartyId,
} from '@conclave/core'
import { collectReceipt, ReceiptError } from '@conclave/receipt'
import type { ClusterView } from './cluster-view.ts'
import type { NodeCalls } from './node-calls.ts'
import { ApiError } from './problem.ts'
import { isOver, type SigningRecord } from './records.ts'

const PART_TIMEOUT_MS = 10_000
/** Checkpoints come every few seconds. */
const RETRY_AFTER_S = 5

export interface ReceiptCarrierOptions {
  readonly lock: ClusterLock
  readonly view: ClusterView
  readonly calls: NodeCalls
  readonly clock: Clock
  readonly stopping: AbortSignal
}

const notReady = (message: string, cause?: unknown) => new ApiError('RECEIPT_NOT_READY', message, { retryAfterS: RETRY_AFTER_S, cause })

/** What a failure to collect is to whoever asked. */
function problemOf(error: unknown): ApiError {
  const message = messageOf(error)
  switch (codeOf(error)) {
    case 'RECEIPT_NOT_READY':
      return notReady(message, error)
    case 'NO_RECEIPT':
      return new ApiError('NO_RECEIPT', message, { cause: error })
    case 'RECEIPT_INCOMPLETE':
      return new ApiError('NODES_UNREACHABLE', message, { cause: error })
  }
  if (error instanceof ReceiptError) return new ApiError('RECEIPT_REFUSED', `what the nodes answered: ${message}`, { cause: error })
  return new ApiError('NODES_UNREACHABLE', `no node gave its part: ${message}`, { cause: error })
}

/**
 * Collects a receipt from the nodes that signed. It is verified as anybody can verify it: the word of this coordinator is not in it.
 *
 * @throws {ApiError} RECEIPT_NOT_READY, NO_RECEIPT, RECEIPT_REFUSED, NODES_UNREACHABLE.
 */
export async function carryReceipt(
  { lock, view, calls, clock, stopping }: ReceiptCarrierOptions,
  record: SigningRecord,
): Promise<Uint8Array> {
  if (!isOver(record)) throw notReady(`the request is ${record.state}`)
  if (record.state !== 'signed') throw new ApiError('NO_RECEIPT', `the request is ${record.state}: nothing was signed`)
  const requestId = fromHex(record.requestId)
  const ask = async (party: PartyId, sid: Uint8Array): Promise<Uint8Array> => {
    const node = nodeOf(lock, party)
    if (node === undefined || !view.isUp(party))
      throw new ConclaveError('NODES_UNREACHABLE', `node ${party} is not connected`, { retriable: true })
    return (
      await calls.call(node as NodeMember, { receipt: { requestId, sid } }, 'receipt', { timeoutMs: PART_TIMEOUT_MS, signal: stopping })
    ).receipt
  }
  try {
    const nodes = record.result?.signers ?? []
    return await collectReceipt({ locks: [lock], required: lock.quorum.required - 1, nowS: clock.nowMs() / 1000, nodes, ask })
  } catch (error) {
    throw problemOf(error)
  }
}
