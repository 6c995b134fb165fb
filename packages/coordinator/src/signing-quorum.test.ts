import { type PartyId, toHex } from '@conclave/core'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'chai'
import type { ClusterView } from './cluster-view.ts'
import { NodeLoads } from './node-loads.ts'
import type { KeyRecord, SigningItem } from './records.ts'
import { chooseSigners } from './signing-quorum.ts'
import { FakeCluster } from './testing/harness.ts'

const publicKey = secp256k1.getPublicKey(new Uint8Array(32).fill(1))
const chainCode = new Uint8Array(32).fill(3)
const parties = [1, 2, 3, 4, 5]
const reported = {
  ...{ keyId: 'main', epoch: 0, publicKey, chainCode, threshold: 3, parties, state: 'active' },
  ...{ prepared: 0, backedUp: false, backupEpoch: 0, phase: 'active' },
}
const key: KeyRecord = {
  keyId: 'main',
  epoch: 0,
  threshold: 3,
  parties,
  state: 'active',
  publicKey: toHex(publicKey),
  chainCode: toHex(chainCode),
}

describe('signers of a request', () => {
  let view: ClusterView
  before(async () => {
    const cluster = await FakeCluster.start()
    const status = { ...cluster.node(1).status(), keys: [reported] }
    view = {
      lock: cluster.lock,
      report: () => ({ status }),
      roundTrips: () => new Map(parties.map((index) => [index, index > 3 ? 200 : 1])),
      pairReady: () => true,
    } as unknown as ClusterView
  })

  /** Who has signed by the end of ten requests, one after the other. */
  function signersOf(type: string): readonly PartyId[] {
    const loads = new NodeLoads()
    const items = [{ payload: { type, bytes: '0x' } }] as unknown as readonly SigningItem[]
    const signed = new Set<PartyId>()
    for (let i = 0; i < 10; i++) {
      const quorum = chooseSigners({ view, loads, key, request: { attempts: [], items }, allowing: parties })
      if (quorum === undefined) throw new Error('no quorum')
      using _attempt = loads.begin(quorum.signers, 1)
      for (const index of quorum.signers) signed.add(index)
    }
    return [...signed].sort()
  }

  it('are those that are near', () => {
    expect(signersOf('evm.tx')).deep.equal([1, 2, 3])
  })

  it('of a drill are all in turn, the far ones too', () => {
    expect(signersOf('drill')).deep.equal(parties)
  })
})
