import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { tagged, toHex } from '@conclave/core'
import type { KeyCreated, RenewKey, SessionMessage } from '@conclave/wire'
import { expect } from 'chai'
import { TestCluster } from './cluster.fixture.ts'
import {
  codeIn,
  createdIn,
  expectSignature,
  KEY,
  newKey,
  pairsReady,
  renew,
  renewal,
  sign,
  signTransfer,
  statusOf,
  until,
} from './requests.fixture.ts'
import { LevelStore } from './store/level-store.ts'

/** Epochs whose records lie on the disk of a running node: certified, and `?` behind those that are pending. */
async function epochsOn(c: TestCluster, name: string): Promise<string> {
  const epochs = async (section: 'key' | 'pending-key', mark: string) =>
    (await c.store(name).list(section)).map(({ key }) => `${Number(key.split('/')[1])}${mark}`)
  return [...(await epochs('key', '')), ...(await epochs('pending-key', '?'))].sort().join()
}

async function everywhere(c: TestCluster, what: string): Promise<void> {
  await until(`${what} everywhere`, async () => (await Promise.all(c.names().map((n) => epochsOn(c, n)))).every((e) => e === what))
}

describe('renewal', () => {
  let cluster: TestCluster
  let publicKey: Uint8Array
  let requests = 0
  const signs = async (signers: readonly number[], epoch: number) =>
    expectSignature(await signTransfer(cluster, ++requests, signers, { epoch }), publicKey)
  const codes = async (change: Partial<RenewKey>) => [...new Set((await renew(cluster, renewal(cluster, change))).map(codeIn))].join()

  beforeEach(async () => {
    cluster = await TestCluster.create(3, 2)
    await cluster.start()
    publicKey = await newKey(cluster)
  })
  afterEach(() => cluster.close())

  it('refresh: same key, new epoch; the old one goes when all have switched and a signature has verified, not before', async () => {
    const before = await statusOf(cluster, 1)
    const made = (await renew(cluster, renewal(cluster))).map(createdIn)
    for (const k of made) expect([toHex(k.publicKey), k.epoch]).to.deep.equal([toHex(publicKey), 1])
    expect(new Set(made.map((k: KeyCreated) => toHex(k.chainCode))).size).to.equal(1)
    await everywhere(cluster, '0,1')
    // A new pair setup with every peer.
    const pairs = (s: typeof before) => s.pairs.map((p) => toHex(p.pairId))
    await pairsReady(cluster)
    const after = await statusOf(cluster, 1)
    for (const id of pairs(after)) expect(pairs(before)).not.to.include(id)
    // Signings that were chosen before the switch finish under their epoch.
    await signs([1, 2], 0)
    expect(await epochsOn(cluster, 'n1')).to.equal('0,1')
    await signs([2, 3], 1)
    await everywhere(cluster, '1')
    expect((await signTransfer(cluster, ++requests, [1, 2], { epoch: 0 })).map(codeIn)).to.deep.equal(['STALE_EPOCH', 'STALE_EPOCH'])
    expect((await sign(cluster, requests, [1, 2], 1, 2)).map(codeIn)).to.deep.equal(['EPOCH_MISMATCH', 'EPOCH_MISMATCH'])
    await signs([1, 2], 1)
    // Asked again, a node answers what it has.
    expect((await renew(cluster, renewal(cluster))).map(codeIn)).to.deep.equal(['keyCreated', 'keyCreated', 'keyCreated'])
  })

  it('refresh: after two switches in a row signings of the epoch before are finished, older ones are not', async () => {
    await renew(cluster, renewal(cluster))
    await everywhere(cluster, '0,1')
    await renew(cluster, renewal(cluster, { fromEpoch: 1 }))
    await everywhere(cluster, '0,1,2')
    expect((await signTransfer(cluster, ++requests, [1, 2], { epoch: 0 })).map(codeIn)).to.deep.equal(['STALE_EPOCH', 'STALE_EPOCH'])
    await signs([1, 2], 1)
    await signs([1, 3], 2)
    await everywhere(cluster, '2')
  })

  it('refresh: an old epoch stays while one party has not said that it switched', async () => {
    cluster.tamper.set('n3', (_to, body) => ('gossip' in body ? undefined : body))
    await renew(cluster, renewal(cluster))
    await signs([1, 2], 1)
    await until('n3 has heard of the others', async () => (await epochsOn(cluster, 'n3')) === '1')
    expect([await epochsOn(cluster, 'n1'), await epochsOn(cluster, 'n2')]).to.deep.equal(['0,1', '0,1'])
    // Its operator knows better than the rule, if n3 is never to come back.
    const { admin } = cluster.node('n1')
    expect((await admin.status()).keys[0])
      .to.include({ epoch: 1, state: 'active' })
      .and.to.deep.include({ kept: [0], prepared: [] })
    expect(await admin.eraseOlder(KEY, 'n3 burnt down')).to.deep.include({ epoch: 1, kept: [] })
    expect(await epochsOn(cluster, 'n1')).to.equal('1')
    cluster.tamper.clear()
    await cluster.kill('n3')
    await cluster.start(['n3'])
    await everywhere(cluster, '1')
  })

  it('forget-and-forgive: a withheld READY keeps the old epoch in use; whoever reveals it later moves everybody, and the highest epoch wins', async () => {
    // An attestation is the shortest message of a fourth round.
    const isReady = (m: SessionMessage) => m.round === 4 && m.body.length < 100
    cluster.tamper.set('n3', (_to, body) => ('gossip' in body || ('session' in body && isReady(body.session)) ? undefined : body))
    void renew(cluster, renewal(cluster))
    await until('n1 and n2 prepared', async () => (await epochsOn(cluster, 'n1')) === '0,1?' && (await epochsOn(cluster, 'n2')) === '0,1?')
    await signs([1, 2], 0)
    // n3 alone holds the complete certificate.
    await until('n3 switched', async () => (await epochsOn(cluster, 'n3')) === '0,1')
    for (const name of ['n1', 'n2']) await cluster.kill(name)
    await cluster.start(['n1', 'n2'])
    await pairsReady(cluster)
    expect([await epochsOn(cluster, 'n1'), await epochsOn(cluster, 'n2')]).to.deep.equal(['0,1?', '0,1?'])
    await signs([1, 2], 0)
    cluster.tamper.clear()
    await cluster.kill('n3')
    await cluster.start(['n3'])
    await everywhere(cluster, '0,1')
    await pairsReady(cluster)
    await signs([1, 3], 1)
    await everywhere(cluster, '1')
  })

  it('forget-and-forgive: a READY that differs from peer to peer splits nobody', async () => {
    const isReady = (m: SessionMessage) => m.round === 4 && m.body.length < 100
    cluster.tamper.set('n3', (to, body) => {
      if (to.name !== 'n1' || !('session' in body) || !isReady(body.session)) return body
      // The last byte is of the signature.
      const other = Uint8Array.from(body.session.body)
      other[other.length - 1] = (other.at(-1) as number) ^ 1
      return { session: { ...body.session, body: other } }
    })
    const codesOf = (await renew(cluster, renewal(cluster))).map(codeIn)
    expect(codesOf[0]).to.equal('DEAL_BAD_ATTESTATION')
    await everywhere(cluster, '0,1')
    await pairsReady(cluster)
    await signs([1, 2], 1)
    await everywhere(cluster, '1')
  })

  it('renewal: a coordinator cannot choose committee, threshold, dealers or epochs', async () => {
    expect(await codes({ threshold: 3 })).to.equal('BAD_REFRESH')
    expect(await codes({ threshold: 1 })).to.equal('BAD_THRESHOLD')
    expect(await codes({ parties: [1, 2] })).to.equal('BAD_REFRESH')
    expect(await codes({ dealers: [1, 2] })).to.equal('BAD_REFRESH')
    const reshare = { kind: 'reshare', dealers: [1, 2] }
    expect(await codes({ ...reshare, parties: [1, 2] })).to.equal('BAD_RESHARE')
    expect(await codes({ ...reshare, dealers: [1, 2, 3] })).to.equal('BAD_RESHARE')
    expect(await codes({ ...reshare, dealers: [1] })).to.equal('BAD_RESHARE')
    expect(await codes({ ...reshare, parties: [2, 1, 3] })).to.equal('BAD_PARTY_SET')
    // A node that then falls silent would keep the key from ever signing again.
    expect(await codes({ ...reshare, threshold: 3 })).to.equal('BAD_THRESHOLD')
    expect(await codes({ kind: 'rekey' })).to.equal('BAD_RENEWAL')
    expect(await codes({ fromEpoch: 1, epoch: 1 })).to.equal('BAD_RENEWAL')
    expect(await codes({ epoch: 0xffffffff })).to.equal('BAD_RENEWAL')
    expect(await codes({ fromEpoch: 1 })).to.equal('EPOCH_MISMATCH')
    expect(await codes({ keyId: 'nothing' })).to.equal('NO_SHARE')
    await everywhere(cluster, '0')
    await signs([1, 2], 0)
  })

  it('recover: a node whose disk is gone takes its seat by a reshare that it deals nothing to', async () => {
    await cluster.kill('n2')
    await rm(join(cluster.dir, 'n2'), { recursive: true })
    await LevelStore.create(join(cluster.dir, 'n2'))
    await cluster.start(['n2'])
    await pairsReady(cluster)
    expect((await statusOf(cluster, 2)).keys).to.deep.equal([])
    const made = (await renew(cluster, renewal(cluster, { kind: 'reshare', dealers: [1, 3] }))).map(createdIn)
    expect(made.map((k) => [toHex(k.publicKey), k.epoch])).to.deep.equal(Array.from({ length: 3 }, () => [toHex(publicKey), 1]))
    await signs([1, 2], 1)
    await everywhere(cluster, '1')
  })

  it('rollback: a node restored from before a refresh knows that it is stale, refuses to sign, and is recovered by a reshare', async () => {
    await cluster.kill('n2')
    await cp(join(cluster.dir, 'n2'), join(cluster.dir, 'old'), { recursive: true })
    await cluster.start(['n2'])
    await pairsReady(cluster)
    await renew(cluster, renewal(cluster))
    await signs([1, 2], 1)
    await everywhere(cluster, '1')
    await cluster.kill('n2')
    await rm(join(cluster.dir, 'n2'), { recursive: true })
    await cp(join(cluster.dir, 'old'), join(cluster.dir, 'n2'), { recursive: true })
    await cluster.start(['n2'])
    await pairsReady(cluster)
    await until('n2 knows', async () => (await statusOf(cluster, 2)).keys[0]?.state === 'stale')
    expect(codeIn((await signTransfer(cluster, ++requests, [1, 2], { epoch: 0 }))[1] as never)).to.equal('KEY_STALE')
    await signs([1, 3], 1)
    expect(await codes({ kind: 'reshare', fromEpoch: 1, dealers: [1, 3], nonce: tagged('again') })).to.equal('keyCreated')
    expect((await statusOf(cluster, 2)).keys.map((k) => [k.keyId, k.epoch, k.state])).to.deep.equal([[KEY, 2, 'active']])
    await signs([1, 2], 2)
    await everywhere(cluster, '2')
  })
})
