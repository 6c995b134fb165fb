import { digestsOf, type KeyRecord, type OperationRecord, type SigningRecord } from '../records.ts'

const isoOrNull = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString())

/** What an event tells of a request: everything but what was to be signed, which may be large and is asked for by the id. */
export function signingEventData(record: SigningRecord): string {
  const { requestId, keyId, state, requester, result, error, createdAtMs, deadlineAtMs, endedAtMs } = record
  const made = result?.signatures.flatMap((item) => item.signatures) ?? []
  const signatures = digestsOf(record).map((digest, i) => {
    const { signature = null, recovery = null } = made[i] ?? {}
    return { ...digest, signature, recovery }
  })
  const times = { createdAt: isoOrNull(createdAtMs), deadlineAt: isoOrNull(deadlineAtMs), endedAt: isoOrNull(endedAtMs) }
  return JSON.stringify({ requestId, keyId, state, requester, signatures, signers: result?.signers ?? null, error, ...times })
}

export function operationEventData(record: OperationRecord): string {
  const { operationId, kind, keyId, requestedBy, state, error, createdAtMs, endedAtMs } = record
  const times = { createdAt: isoOrNull(createdAtMs), endedAt: isoOrNull(endedAtMs) }
  return JSON.stringify({ operationId, kind, keyId, requestedBy, state, error, ...times })
}

export function keyEventData({ keyId, publicKey, threshold, parties, epoch, state }: KeyRecord): string {
  return JSON.stringify({ keyId, publicKey, threshold, parties, epoch, state })
}
