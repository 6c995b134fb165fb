import { createECDH } from 'node:crypto'
import { type ClusterLock, clusterContext, codeOf, formatLock, identitiesOf, nextLock, tagged, toHex, u32, utf8 } from '@conclave/core'
import { certificateHash, isCertified } from '@conclave/mpc'
import { peerIdOf, softIdentity } from '@conclave/transport'
import type { KeyPublic } from '@conclave/wire'
import { expect } from 'chai'
import type { Calls } from './calls.ts'
import { Certificates } from './certificates.ts'
import type { KeyStore, NodeScope } from './store/key-store.ts'

const identity = (j: number) => softIdentity(tagged('certificates', u32(j)))
const PARTIES = [1, 2, 3, 4, 5]
const FIRST: ClusterLock = {
  ...{ version: 1, clusterId: toHex(tagged('certificates')), previous: '', quorum: { required: 3, of: 5 }, coordinators: [] },
  nodes: PARTIES.map((j) => ({
    ...{
      kind: 'node',
      name: `n${j}`,
      index: j,
      identity: identity(j).key,
      peerId: peerIdOf(identity(j).key),
      addresses: [],
      checkpointKeys: [identity(j + 100).key],
    },
  })),
  ...{ signatures: new Map(), approvals: new Map() },
}
const SECOND = nextLock(FIRST, { required: 3 })

/** k G. */
function point(k: number): Uint8Array {
  const ecdh = createECDH('secp256k1')
  ecdh.setPrivateKey(Buffer.from(k.toString(16).padStart(64, '0'), 'hex'))
  return Uint8Array.from(ecdh.getPublicKey(null, 'compressed'))
}

/** A public half that `parties` make up among themselves: G is the key, and the shares are those of 1 + x. */
const made = (parties: readonly number[], threshold: number, lock: ClusterLock, epoch: number): KeyPublic => ({
  ...{ keyId: 'k', epoch, threshold, parties: [...parties], publicKey: point(1), publicShares: parties.map((j) => point(1 + j)) },
  ...{
    chainCode: tagged('chain'),
    nonce: tagged('nonce'),
    sidParts: parties.map((j) => tagged('sid', u32(j))),
    transcript: tagged('said'),
  },
  ...{ clusterContext: clusterContext(lock), origin: 'refresh', previous: tagged('before'), previousEpoch: 0, dealers: [...parties] },
})

/** What a node under `locks` that holds `own` makes of `key`, which each of its parties has really attested. */
async function verdictOn(key: KeyPublic, { locks = [FIRST], own }: { locks?: readonly ClusterLock[]; own?: KeyPublic }): Promise<string> {
  const hash = certificateHash(key)
  const attestations = await Promise.all(key.parties.map(async (party) => ({ party, signature: await identity(party).sign(hash) })))
  expect(isCertified(key, attestations, identitiesOf(FIRST))).to.equal(true)
  const older = locks.slice(0, -1).map((lock) => utf8(formatLock(lock)))
  const lockOf = (context: Uint8Array) => locks.find((l) => toHex(clusterContext(l)) === toHex(context))
  const certificates = new Certificates({
    scope: { locks, lockOf, identities: identitiesOf(locks.at(-1) as ClusterLock) } as unknown as NodeScope,
    keys: { has: () => (own === undefined ? undefined : 'active'), get: () => own } as unknown as KeyStore,
    calls: { call: async () => ({ certificate: { certificate: { key, attestations }, locks: older } }) } as unknown as Calls,
  })
  return certificates.fetch(4, key.keyId, key.epoch).then(() => 'shown', codeOf)
}

describe('certificates', () => {
  it('certificate: fewer parties than the lock requires cannot make one up among themselves', async () => {
    expect(await verdictOn(made([4, 5], 2, FIRST, 7), {})).to.equal('BAD_CERTIFICATE')
    expect(await verdictOn(made(PARTIES, 2, FIRST, 7), {})).to.equal('BAD_CERTIFICATE')
    expect(await verdictOn(made([3, 4, 5], 3, FIRST, 7), {})).to.equal('shown')
  })

  it('certificate: above an epoch that was made under a later lock there is none of an earlier one', async () => {
    const locks = [FIRST, SECOND]
    const late = made(PARTIES, 3, FIRST, 7)
    expect(await verdictOn(late, { locks, own: made(PARTIES, 3, SECOND, 6) })).to.equal('BAD_CERTIFICATE')
    expect(await verdictOn(late, { locks, own: made(PARTIES, 3, SECOND, 8) })).to.equal('shown')
    expect(await verdictOn(late, { locks, own: made(PARTIES, 3, FIRST, 6) })).to.equal('shown')
    expect(await verdictOn(late, { locks })).to.equal('shown')
  })

  it('certificate: an epoch of which fewer parties are left than sign is nothing to go by', async () => {
    const locks = [FIRST, nextLock(FIRST, { remove: ['n5'] })]
    expect(await verdictOn(made(PARTIES, 5, FIRST, 7), { locks })).to.equal('BAD_CERTIFICATE')
    expect(await verdictOn(made(PARTIES, 4, FIRST, 7), { locks })).to.equal('shown')
  })

  it('certificate: one of another public key than our own is refused', async () => {
    const own = { ...made(PARTIES, 3, FIRST, 6), publicKey: point(2) }
    expect(await verdictOn(made(PARTIES, 3, FIRST, 7), { own })).to.equal('BAD_CERTIFICATE')
  })
})
