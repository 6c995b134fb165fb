import { type ClusterLock, codeOf, tagged, u32 } from '@conclave/core'
import { softIdentity } from '@conclave/transport'
import type { KeyPublic, RenewKey } from '@conclave/wire'
import { expect } from 'chai'
import { checkRenewal } from './renewal-check.ts'

const lockOf = (required: number, n: number, version = 1): ClusterLock => ({
  ...{ version, clusterId: '00', previous: '', quorum: { required, of: n }, coordinators: [] },
  ...{ signatures: new Map(), approvals: new Map() },
  nodes: Array.from({ length: n }, (_, i) => ({
    ...{ kind: 'node' as const, index: i + 1, name: `n${i + 1}`, peerId: '', addresses: [] },
    identity: softIdentity(tagged('renewal-check', u32(i + 1))).key,
    checkpointKeys: [softIdentity(tagged('renewal-check', u32(i + 101))).key],
  })),
})

/** What becomes of a reshare to `asked` signers of a key of `threshold`, dealt under `made`, under `lock`. */
function outcome(asked: number, threshold: number, made: ClusterLock, lock: ClusterLock): string {
  const indices = (n: number) => Array.from({ length: n }, (_, i) => i + 1)
  const previous = { keyId: 'k', threshold, parties: indices(made.nodes.length) } as unknown as KeyPublic
  const parties = indices(lock.nodes.length)
  const request = { keyId: 'k', kind: 'reshare', threshold: asked, parties, dealers: indices(threshold) } as unknown as RenewKey
  try {
    checkRenewal(request, { self: 1, lock, previous, made })
    return 'allowed'
  } catch (error) {
    return codeOf(error)
  }
}

describe('renewal check', () => {
  it('renewal check: a threshold is that of the key or that of the lock, and nothing a coordinator could choose', () => {
    const lock = lockOf(3, 5)
    expect([2, 3, 4, 5].map((asked) => outcome(asked, 3, lock, lock))).to.deep.equal([
      'BAD_THRESHOLD',
      'allowed',
      'BAD_THRESHOLD',
      'BAD_THRESHOLD',
    ])
    expect([3, 4, 5].map((asked) => outcome(asked, 4, lock, lock))).to.deep.equal(['BAD_THRESHOLD', 'allowed', 'BAD_THRESHOLD'])
  })

  it('renewal check: more signers when the lock asks for more', () => {
    expect([3, 4].map((asked) => outcome(asked, 3, lockOf(3, 5), lockOf(4, 7, 2)))).to.deep.equal(['BAD_THRESHOLD', 'allowed'])
  })

  it('renewal check: fewer signers when the lock asks for fewer than the one before, and after no other change', () => {
    expect([3, 4].map((asked) => outcome(asked, 4, lockOf(4, 7), lockOf(3, 7, 2)))).to.deep.equal(['allowed', 'allowed'])
    // A key that was made stronger than the lock asked for stays so, whatever else the next lock changes.
    expect([3, 4].map((asked) => outcome(asked, 4, lockOf(3, 5), lockOf(3, 6, 2)))).to.deep.equal(['BAD_THRESHOLD', 'allowed'])
  })
})
