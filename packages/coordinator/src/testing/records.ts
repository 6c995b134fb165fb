import type { IdempotencyRecord, OperationRecord, SigningRecord } from '../records.ts'

/** A request of key `main`, decoded and not begun; `n` names it. */
export function signingRecord(n: number, change: Partial<SigningRecord> = {}): SigningRecord {
  const requestId = n.toString(16).padStart(64, '0')
  const terms = { requester: 'test', nonce: requestId, notBeforeMs: 0, expiresAtMs: 9e12, keyEpoch: 0, signature: '' }
  const digests = [{ derivationPath: 'm', publicKey: `02${'ab'.repeat(32)}`, digest: 'cd'.repeat(32) }]
  return {
    ...{
      requestId,
      tenant: 'main',
      keyId: 'main',
      requester: 'test',
      terms,
      state: 'decoded',
      cancelRequested: false,
      nodeVerdicts: [],
      attempts: [],
    },
    items: [{ derivationPath: 'm', publicKey: `02${'ab'.repeat(32)}`, payload: { type: 'evm.tx', bytes: '0x02' }, digests, summary: [] }],
    ...{ result: null, error: null, createdAtMs: 1, deadlineAtMs: 9e12, endedAtMs: null, ...change },
  }
}

/** A refresh of a key, not begun; `n` names it. */
export function operationRecord(n: number, change: Partial<OperationRecord> = {}): OperationRecord {
  return {
    ...{
      operationId: n.toString(16).padStart(32, '0'),
      tenant: 'main',
      kind: 'key.refresh',
      keyId: 'main',
      requestedBy: 'test',
      threshold: 3,
    },
    ...{ parties: [1, 2, 3, 4, 5], state: 'pending', epochs: null, createdAtMs: 1, endedAtMs: null, error: null, ...change },
  }
}

/** What request `n` is acknowledged with. */
export function answerOf(n: number): IdempotencyRecord {
  return { bodyHash: 'ab'.repeat(32), status: 201, body: { requestId: String(n) } }
}
