import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type AuditEvent, type ConclaveError, toHex } from '@conclave/core'
import { verifyErasure } from '@conclave/core/erasure'
import { parseRecord } from '@conclave/vault'
import { decode, type KeyPublic, StoredKey } from '@conclave/wire'
import { expect } from 'chai'
import { TestCluster } from './cluster.fixture.ts'
import { CrashPoint } from './crash-point.fixture.ts'
import { refusal } from './refusal.fixture.ts'
import {
  codeIn,
  createKey,
  expectSignature,
  KEY,
  newKey,
  pairsReady,
  propose,
  renew,
  renewal,
  sign,
  signTransfer,
  statusOf,
  transfer,
  until,
  verdictIn,
} from './requests.fixture.ts'

describe('life of a key at a node', () => {
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

  const admin = (name = 'n1') => cluster.node(name).admin
  const phaseOf = async (party = 1) => (await statusOf(cluster, party)).keys.find((k) => k.keyId === KEY)?.phase
  const signs = async (signers: readonly number[], epoch = 0) =>
    expectSignature(await signTransfer(cluster, ++requests, signers, { epoch }), publicKey)
  async function restart(): Promise<void> {
    await cluster.kill('n1')
    await cluster.start(['n1'])
    await pairsReady(cluster)
  }
  const archiveAndDestroy = async () => {
    await admin().key.change(KEY, 'archived', 'no longer used')
    return admin().key.destroy(KEY, 'end of life', [])
  }

  for (const [phase, code] of [
    ['suspended', 'KEY_SUSPENDED'],
    ['archived', 'KEY_ARCHIVED'],
  ] as const) {
    it(`phase: a ${phase} key is refused with ${code} before and after a restart, also between proposal and signing; others sign`, async () => {
      await propose(cluster, ++requests, [1, 2], transfer(1n))
      await admin().key.change(KEY, phase, 'a test said so')
      const attempt = await sign(cluster, requests, [1, 2])
      // The one that is ready hears of it at once, and does not wait for silence.
      expect(attempt.map(codeIn)).to.deep.equal([code, 'PEER_STOPPED'])
      await restart()
      expect(await phaseOf()).to.equal(phase)
      const verdicts = (await propose(cluster, ++requests, [1, 2, 3], transfer(1n))).map(verdictIn)
      expect(verdicts.map((v) => [v.allowed, v.code])).to.deep.equal([
        [false, code],
        [true, 'ALLOWED'],
        [true, 'ALLOWED'],
      ])
      expectSignature(await sign(cluster, requests, [2, 3]), publicKey)
    })
  }

  it('phase: a suspended key is refreshed and activated again; an archived one is neither', async () => {
    await admin().key.change(KEY, 'suspended', 'incident')
    await renew(cluster, renewal(cluster))
    expect((await statusOf(cluster, 1)).keys[0]?.epoch).to.equal(1)
    await admin().key.change(KEY, 'active', 'all clear')
    await signs([1, 2], 1)
    await admin().key.change(KEY, 'archived', 'no longer used')
    const codes = (await renew(cluster, renewal(cluster, { fromEpoch: 1, epoch: 2 }))).map(codeIn)
    expect(codes[0]).to.equal('KEY_ARCHIVED')
    for (const next of ['active', 'suspended'] as const)
      expect(await refusal(() => admin().key.change(KEY, next, 'x'))).to.equal('KEY_PHASE')
    expect(await refusal(() => admin().key.change('nothing', 'suspended', 'x'))).to.equal('UNKNOWN_KEY')
  })

  it('phase: where activation is explicit a new key is provisioned, and signs when it is activated', async () => {
    await cluster.kill('n1')
    await cluster.start(['n1'], { rig: (parts) => ({ ...parts, explicitActivation: true }) })
    await pairsReady(cluster)
    await newKey(cluster, 'later')
    const verdict = async () => verdictIn((await propose(cluster, ++requests, [1], transfer(1n), { keyId: 'later' }))[0]!).code
    expect(await verdict()).to.equal('KEY_NOT_ACTIVATED')
    // What was there before is as it was.
    await signs([1, 2])
    await restart()
    expect(await verdict()).to.equal('KEY_NOT_ACTIVATED')
    await admin().key.change('later', 'active', 'Ida and Olav have checked the address')
    expect(await verdict()).to.equal('ALLOWED')
  })

  it('phase: every transition is in the journal, before it holds', async () => {
    const events: AuditEvent[] = []
    let refuse = false
    const journal = {
      record: async (event: AuditEvent) => {
        if (refuse) throw new Error('the journal is full')
        events.push(event)
      },
    }
    await cluster.kill('n1')
    await cluster.start(['n1'], { rig: (parts) => ({ ...parts, journal }) })
    await pairsReady(cluster)
    await newKey(cluster, 'second')
    await renew(cluster, renewal(cluster))
    refuse = true
    await admin()
      .key.change(KEY, 'suspended', 'x')
      .catch(() => undefined)
    expect(await phaseOf()).to.equal('active')
    refuse = false
    await admin().key.change(KEY, 'suspended', 'incident')
    await admin().key.change(KEY, 'suspended', 'incident')
    await admin().key.change(KEY, 'active', 'all clear')
    await archiveAndDestroy()
    const kinds = events.filter((e) => e.kind.startsWith('key.')).map((e) => [e.kind, e.details.keyId])
    expect(kinds).to.deep.equal([
      ['key.provisioned', 'second'],
      ['key.activated', 'second'],
      ['key.rotating', KEY],
      ['key.rotated', KEY],
      ['key.suspended', KEY],
      ['key.activated', KEY],
      ['key.archived', KEY],
      ['key.destroyed', KEY],
      ['key.erased', KEY],
    ])
  })

  it('destroy: only what is archived; then the shares of all epochs are gone, the KEK is another one, and the record is signed', async () => {
    await renew(cluster, renewal(cluster))
    expect(await refusal(() => admin().key.destroy(KEY, 'x', []))).to.equal('KEY_PHASE')
    expect(await cluster.store('n1').list('key')).to.have.length(2)
    const erasure = await archiveAndDestroy()
    expect(await cluster.store('n1').list('key')).to.deep.equal([])
    verifyErasure(cluster.lock, erasure)
    const { keyId, node, publicKey: named, epochs, kek } = erasure
    expect({ keyId, node, named, epochs, kek }).to.deep.equal({
      ...{ keyId: KEY, node: 'n1', named: toHex(publicKey), epochs: [0, 1], kek: { destroyed: 1, hsms: ['primary'], without: [] } },
    })
    expect((await cluster.device('n1').connect().keks()).keks.map((k) => k.generation)).to.deep.equal([2])
    await signs([2, 3], 1)
    await restart()
    expect(admin().key.erasures()).to.deep.equal([erasure])
    const status = await statusOf(cluster, 1)
    expect([status.keys, status.erasures.map((e) => JSON.parse(new TextDecoder().decode(e)))]).to.deep.equal([[], [erasure]])
    expect((await admin().status()).destroyed).to.deep.equal([{ keyId: KEY, complete: true }])
    // Asked again, it is the same record, and nothing is rotated.
    expect(await admin().key.destroy(KEY, 'again', [])).to.deep.equal(erasure)
    expect((await cluster.device('n1').connect().keks()).keks.map((k) => k.generation)).to.deep.equal([2])
  })

  it('destroy: no key is made under its id again, nor does a reshare bring a share; and nobody signs with it here', async () => {
    await archiveAndDestroy()
    await restart()
    expect((await createKey(cluster, KEY, 'another')).map(codeIn)[0]).to.equal('KEY_DESTROYED')
    const reshare = renewal(cluster, { kind: 'reshare', dealers: [2, 3] })
    expect((await renew(cluster, reshare)).map(codeIn)[0]).to.equal('KEY_DESTROYED')
    expect(verdictIn((await propose(cluster, ++requests, [1], transfer(1n)))[0]!).code).to.equal('KEY_DESTROYED')
    expect(await refusal(() => admin().key.change(KEY, 'active', 'x'))).to.equal('KEY_PHASE')
    expect(await cluster.store('n1').list('key')).to.deep.equal([])
  })

  it('destroy: a share that is being made when it comes is not stored', async () => {
    await cluster.kill('n1')
    let storing: (() => void) | undefined
    const held = new Promise<void>((resolve) => {
      storing = resolve
    })
    const reached = Promise.withResolvers<void>()
    await cluster.start(['n1'], {
      rig: (parts) => ({
        ...parts,
        vault: {
          ...parts.vault,
          seal: async (context, secret) => {
            if (context.recordType === 'key-share') {
              reached.resolve()
              await held
            }
            return parts.vault.seal(context, secret)
          },
        },
      }),
    })
    await pairsReady(cluster)
    const renewing = renew(cluster, renewal(cluster))
    await reached.promise
    await admin().key.change(KEY, 'archived', 'x')
    const destroying = admin().key.destroy(KEY, 'x', [])
    await until('the shares are gone', async () => (await cluster.store('n1').list('key')).length === 0)
    storing?.()
    await destroying
    expect(codeIn((await renewing)[0]!)).to.equal('KEY_DESTROYED')
    expect([...(await cluster.store('n1').list('key')), ...(await cluster.store('n1').list('pending-key'))]).to.deep.equal([])
  })

  it('destroy: a copy of the disk from before opens nothing, under whichever KEK of before it was sealed', async () => {
    // A rotation that broke off has sealed the share to the next generation already.
    const point = new CrashPoint()
    await cluster.kill('n1')
    await cluster.start(['n1'], { rig: point.rig })
    await pairsReady(cluster)
    point.arm({ deed: 'apply', at: 3, after: true })
    void admin()
      .hsm.rotateKek([])
      .catch(() => undefined)
    await point.crashed
    await cluster.kill('n1')
    const copy = join(cluster.dir, 'copy')
    await cp(join(cluster.dir, 'n1'), copy, { recursive: true })
    await cluster.start(['n1'])
    const erasure = await archiveAndDestroy()
    expect(erasure.kek.destroyed).to.equal(2)
    await cluster.kill('n1')
    await rm(join(cluster.dir, 'n1'), { recursive: true })
    await cp(copy, join(cluster.dir, 'n1'), { recursive: true })
    const store = await cluster.openStore('n1')
    const { sealed, certificate } = decode(StoredKey, (await store.list('key'))[0]!.value)
    await store.close()
    const { recipients } = parseRecord(sealed)
    expect(recipients[0]?.kekGeneration).to.equal(2)
    expect(certificate.key).to.deep.include({ keyId: KEY } satisfies Partial<KeyPublic>)
    expect(await refusal(() => cluster.start(['n1']))).to.equal('KEK_DESTROYED')
  })

  for (const after of [false, true]) {
    it(`destroy: killed ${after ? 'after' : 'before'} each of its writes, it is completed by the next one, and until then the status says so`, async () => {
      // The shares with the word that the key is destroyed; the share of the other key and the pair states; the erasure record.
      for (const at of [1, 2, 4, 5]) {
        const keyId = `key-${at}`
        await newKey(cluster, keyId)
        const point = new CrashPoint()
        await cluster.kill('n1')
        await cluster.start(['n1'], { rig: point.rig })
        await pairsReady(cluster)
        await admin().key.change(keyId, 'archived', 'x')
        point.arm({ deed: 'apply', at, after })
        const generation = (await cluster.device('n1').connect().keks()).keks.at(-1)?.generation as number
        void admin()
          .key.destroy(keyId, 'x', [])
          .catch((error: ConclaveError) => error)
        await point.crashed
        await cluster.kill('n1')
        await cluster.start(['n1'])
        await pairsReady(cluster)
        const said = (await admin().status()).destroyed.find((d) => d.keyId === keyId)
        const isErased = at > 1 || after
        expect(said?.complete, `write ${at}`).to.equal(isErased ? at === 5 && after : undefined)
        const erasure = await admin().key.destroy(keyId, 'x', [])
        verifyErasure(cluster.lock, erasure)
        expect(erasure.kek.destroyed).to.be.at.least(generation)
        await signs([1, 2])
      }
    })
  }

  it('destroy: an HSM that does not answer stops it before anything is erased', async () => {
    await admin().key.change(KEY, 'archived', 'x')
    cluster.device('n1').fail('TIMEOUT')
    expect(await refusal(() => admin().key.destroy(KEY, 'x', []))).to.equal('TIMEOUT')
    cluster.device('n1').heal()
    expect(await cluster.store('n1').list('key')).to.have.length(1)
    expect(await phaseOf()).to.equal('archived')
  })
})
