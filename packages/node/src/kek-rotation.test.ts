import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { AuditEvent } from '@conclave/core'
import { parseRecord } from '@conclave/vault'
import { decode, PendingKey, StoredKey, StoredPair } from '@conclave/wire'
import { expect } from 'chai'
import { TestCluster } from './cluster.fixture.ts'
import { CrashPoint } from './crash-point.fixture.ts'
import { refusal } from './refusal.fixture.ts'
import { expectSignature, newKey, pairsReady, renew, renewal, signTransfer } from './requests.fixture.ts'

describe('KEK rotation of a node', () => {
  let cluster: TestCluster
  let publicKey: Uint8Array
  let requests = 0

  beforeEach(async () => {
    cluster = await TestCluster.create(3, 2)
    await cluster.start()
    publicKey = await newKey(cluster)
    await pairsReady(cluster)
  })
  afterEach(() => cluster.close())

  const hsm = (name: string) => cluster.node(name).admin.hsm
  const signs = async (signers: readonly number[], epoch = 0) =>
    expectSignature(await signTransfer(cluster, ++requests, signers, { epoch }), publicKey)

  /** KEK generations of every sealed record in the database of a node. */
  async function generationsOf(name: string): Promise<readonly number[]> {
    const store = cluster.store(name)
    const sealed = [
      ...(await store.list('key')).map(({ value }) => decode(StoredKey, value).sealed),
      ...(await store.list('pending-key')).map(({ value }) => decode(PendingKey, value).sealed),
      ...(await store.list('pair')).map(({ value }) => decode(StoredPair, value).sealed),
    ]
    return sealed.flatMap((record) => parseRecord(record).recipients.map((r) => r.kekGeneration))
  }

  it('rotateKek: every share and pair state is on the new generation, the node signs meanwhile and after a restart', async () => {
    await renew(cluster, renewal(cluster))
    const rotation = await hsm('n1').rotateKek([])
    // Two epochs and two pairs.
    expect([rotation.generation, rotation.records, rotation.rewrapped]).to.deep.equal([2, 4, 4])
    expect(await generationsOf('n1')).to.deep.equal([2, 2, 2, 2])
    const status = await hsm('n1').status()
    expect([status.records, status.hsms[0]?.kek?.generations, status.hsms[0]?.recordsWithout]).to.deep.equal([4, [2], 0])
    const signing = (async () => {
      for (let i = 0; i < 5; i++) await signs([1, 2], 1)
    })()
    for (let generation = 3; generation <= 6; generation++) expect((await hsm('n1').rotateKek([])).generation).to.equal(generation)
    await signing
    await signs([1, 3], 1)
    await cluster.kill('n1')
    await cluster.start(['n1'])
    await pairsReady(cluster)
    await signs([1, 2], 1)
  })

  it('rotateKek: a copy of the disk from before is refused at the start, by the name of a record, and nothing is made anew', async () => {
    const [disk, copy] = [join(cluster.dir, 'n1'), join(cluster.dir, 'copy')]
    await cluster.kill('n1')
    await cp(disk, copy, { recursive: true })
    await cluster.start(['n1'])
    await hsm('n1').rotateKek([])
    await cluster.kill('n1')
    await cp(disk, join(cluster.dir, 'present'), { recursive: true })
    await rm(disk, { recursive: true })
    await cp(copy, disk, { recursive: true })
    expect(await refusal(() => cluster.start(['n1']))).to.equal('KEK_DESTROYED')
    expect((await cluster.device('n1').connect().keks()).keks.map((k) => k.generation)).to.deep.equal([2])
    await rm(disk, { recursive: true })
    await cp(join(cluster.dir, 'present'), disk, { recursive: true })
    await cluster.start(['n1'])
    await pairsReady(cluster)
    await signs([1, 2])
  })

  for (const after of [false, true]) {
    it(`rotateKek: killed ${after ? 'after' : 'before'} each of its writes, the node starts, signs, and completes it`, async () => {
      // One share and two pair states.
      for (const at of [1, 2, 3]) {
        const point = new CrashPoint()
        await cluster.kill('n1')
        await cluster.start(['n1'], { rig: point.rig })
        await pairsReady(cluster)
        point.arm({ deed: 'apply', at, after })
        void hsm('n1')
          .rotateKek([])
          .catch(() => undefined)
        await point.crashed
        await cluster.kill('n1')
        await cluster.start(['n1'])
        await pairsReady(cluster)
        await signs([1, 2])
        const { generation, resumed } = await hsm('n1').rotateKek([])
        expect(resumed).to.equal(true)
        expect(new Set(await generationsOf('n1'))).to.deep.equal(new Set([generation]))
        await signs([1, 3])
      }
    })
  }

  for (const [recordType, begin] of [
    ['key-share', () => renew(cluster, renewal(cluster))],
    ['pair-state', () => cluster.node('n1').admin.resetPair('n2', 'a test said so')],
  ] as const) {
    it(`rotateKek: a ${recordType} that was sealed before it and is not stored yet is waited for`, async () => {
      const [sealed, store] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      await cluster.kill('n1')
      await cluster.start(['n1'], {
        rig: (parts) => ({
          ...parts,
          vault: {
            ...parts.vault,
            seal: async (context, secret) => {
              const record = await parts.vault.seal(context, secret)
              if (context.recordType === recordType) {
                sealed.resolve()
                await store.promise
              }
              return record
            },
          },
        }),
      })
      if (recordType === 'key-share') await pairsReady(cluster, [1, 2, 3])
      const beginning = begin()
      await sealed.promise
      let rotated = false
      const rotating = hsm('n1')
        .rotateKek([])
        .then((rotation) => {
          rotated = true
          return rotation
        })
      for (let i = 0; i < 50; i++) await new Promise(setImmediate)
      expect(rotated).to.equal(false)
      store.resolve()
      const { generation } = await rotating
      await beginning
      await pairsReady(cluster)
      expect(new Set(await generationsOf('n1'))).to.deep.equal(new Set([generation]))
    })
  }

  it('rotateKek, rewrap: are in the journal, before they begin and when they have ended, however', async () => {
    const events: AuditEvent[] = []
    await cluster.kill('n1')
    await cluster.start(['n1'], { rig: (parts) => ({ ...parts, journal: { record: async (event) => void events.push(event) } }) })
    await hsm('n1').rewrap([])
    await hsm('n1').rotateKek([])
    cluster.device('n1').fail('TOKEN_LOST')
    expect(await refusal(() => hsm('n1').rotateKek([]))).to.equal('TOKEN_LOST')
    cluster.device('n1').heal()
    const kinds = events.map((e) => e.kind).filter((kind) => /^(kek|record)\./.test(kind))
    expect(kinds).to.deep.equal([
      ...['record.rewrapping', 'record.rewrapped', 'kek.rotating', 'kek.rotated', 'kek.rotating', 'kek.rotation-failed'],
    ])
    expect(events.find((e) => e.kind === 'kek.rotated')?.details).to.deep.include({
      generation: 2,
      hsms: ['primary'],
      destroyed: ['primary 1'],
    })
  })
})
