import { type IdentitySigner, type PartyId, seededRandom, tagged, u32, utf8 } from '@conclave/core'
import { DEAL_ROUNDS, type DealResult, deal, encodeShareSecret, type KeyShare, Session } from '@conclave/mpc'
import { softIdentity } from '@conclave/transport'
import { type Attestation, encode, KeyPublic } from '@conclave/wire'
import type { OpenedRecord } from '../sessions/job.ts'
import type { NodeScope } from './key-store.ts'

export const CLUSTER_CONTEXT = tagged('cluster', utf8('store-test'))
export const identity = (j: PartyId): IdentitySigner => softIdentity(tagged('store-identity', u32(j)))
const PARTIES = [1, 2, 3]

export const SCOPE: NodeScope = {
  clusterId: 'ab'.repeat(32),
  nodeName: 'n1',
  clusterContext: CLUSTER_CONTEXT,
  identities: new Map(PARTIES.map((j) => [j, identity(j).key])),
}

export interface MadeKey {
  readonly key: KeyPublic
  readonly hash: Uint8Array
  readonly attestations: readonly Attestation[]
  /** Party 1's share as a worker hands it over: a fresh copy, because whoever stores it wipes it. */
  share(): OpenedRecord
}

/** A real 2-of-3 key generation in this process, each party in a session of its own; only party 1's share is kept. */
export async function makeKey(keyId: string, seed = keyId): Promise<MadeKey> {
  const sessions = new Map(
    PARTIES.map((self) => {
      const random = seededRandom(tagged('store-dkg', utf8(seed), u32(self)))
      const context = { self, parties: PARTIES, threshold: 2, clusterContext: CLUSTER_CONTEXT, keyId, nonce: tagged('nonce', utf8(seed)) }
      const protocol = deal({ ...context, epoch: 0, dealing: { kind: 'create' }, identities: SCOPE.identities, random })
      return [self, new Session<DealResult>({ self, peers: PARTIES.filter((j) => j !== self), rounds: DEAL_ROUNDS, protocol })]
    }),
  )
  let record: OpenedRecord | undefined
  let hash = new Uint8Array(0)
  const queue = [...sessions].map(([from, s]) => ({ from, messages: s.start() }))
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    for (const m of next.messages) {
      for (const to of m.to === 'all' ? PARTIES.filter((j) => j !== next.from) : [m.to]) {
        const session = sessions.get(to) as Session<DealResult>
        queue.push({ from: to, messages: session.receive(next.from, m.round, m.body) })
        if (session.state !== 'attesting' || session.attest === undefined) continue
        hash = Uint8Array.from(session.attest.hash)
        const share = session.attest.pending as KeyShare
        if (to === 1) record = { public: encode(KeyPublic, share.public), secret: Uint8Array.from(encodeShareSecret(share).bytes) }
        queue.push({ from: to, messages: session.attested(await identity(to).sign(hash)) })
      }
    }
  }
  const { public: key, attestations } = (sessions.get(1) as Session<DealResult>).result
  const made = record as OpenedRecord
  return { key, hash, attestations, share: () => ({ public: made.public, secret: Uint8Array.from(made.secret) }) }
}
