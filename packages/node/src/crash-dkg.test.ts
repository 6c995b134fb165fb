import { fromHex, tagged, toHex } from '@conclave/core'
import { decode, encode, Frame, PendingKey } from '@conclave/wire'
import { expect } from 'chai'
import { TestCluster } from './cluster.fixture.ts'
import { type CrashPlan, CrashPoint } from './crash-point.fixture.ts'
import { codeIn, createKey, expectSignature, pairsReady, proposal, signTransfer, statusOf, until } from './requests.fixture.ts'

/**
 * What a node does in one DKG of three: a frame to both peers in four rounds, the share, its attestation, the activation, the answer.
 * Before a frame and after the deed that came before it are the same to the world, so frames have no `after`.
 */
const POINTS: readonly CrashPlan[] = [
  ...[1, 2, 3, 4, 5, 6, 7, 8].map((at) => ({ deed: 'send', at, after: false }) as const),
  ...[1, 2, 3].flatMap((at) => [false, true].map((after) => ({ deed: 'apply', at, after }) as const)),
  ...[false, true].flatMap((after) => [{ deed: 'seal', at: 1, after } as const, { deed: 'sign', at: 1, after } as const]),
  { deed: 'answer', at: 1, after: false },
]

describe('crash in dkg', () => {
  let cluster: TestCluster
  let requests = 0
  before(async () => {
    cluster = await TestCluster.create(3, 2)
    await cluster.start()
    await pairsReady(cluster)
  })
  after(() => cluster.close())

  const restart = async (name: string, point?: CrashPoint): Promise<void> => {
    await cluster.kill(name)
    await cluster.start([name], point === undefined ? {} : { rig: point.rig })
  }
  const holds = async (name: string, keyId: string): Promise<'active' | 'pending' | 'none'> => {
    const has = async (section: 'key' | 'pending-key') => (await cluster.store(name).get(section, `${keyId}/0000000000`)) !== undefined
    // In the order in which a key moves, or one that moves while we look would be nowhere.
    return (await has('pending-key')) ? 'pending' : (await has('key')) ? 'active' : 'none'
  }

  /**
   * Waits until the cluster has made up its mind: all nodes have the key, or one never stored a share and so never attests.
   * Whole means that the restarted node signs with it.
   */
  async function outcomeOf(keyId: string, restarted: number): Promise<'whole' | 'nothing'> {
    let states: readonly string[] = []
    await until(`${keyId} settled`, async () => {
      states = await Promise.all(cluster.names().map((n) => holds(n, keyId)))
      expect(states.includes('active') && states.includes('none'), `${keyId}: ${states.join()}`).to.equal(false)
      return states.includes('none') || states.every((s) => s === 'active')
    })
    await pairsReady(cluster)
    const statuses = await Promise.all(cluster.parties().map((j) => statusOf(cluster, j)))
    const keys = statuses.flatMap((s) => s.keys.filter((k) => k.keyId === keyId).map((k) => toHex(k.publicKey)))
    if (states.includes('none')) {
      expect(keys).to.deep.equal([])
      return 'nothing'
    }
    expect(keys).to.have.length(3)
    expect(new Set(keys).size).to.equal(1)
    const signers = [restarted, (restarted % 3) + 1].sort()
    expectSignature(await signTransfer(cluster, ++requests, signers, { keyId }), fromHex(keys[0] as string))
    return 'whole'
  }

  it('crash in dkg: killed at any deed and restarted, the key is there completely or not at all', async () => {
    const matrix = new Map<string, string>()
    for (const plan of POINTS) {
      const { deed, at, after } = plan
      const keyId = `crash-${deed}-${at}-${after ? 'after' : 'before'}`
      const point = new CrashPoint()
      await restart('n2', point)
      await pairsReady(cluster)
      point.arm(plan)
      const reached = await Promise.race([point.crashed.then(() => true), createKey(cluster, keyId).then(() => false)])
      expect(reached, keyId).to.equal(true)
      await restart('n2')
      matrix.set(keyId, await outcomeOf(keyId, 2))
    }
    const table = [...matrix].map((m) => m.join(': ')).join('\n')
    // What comes of a crash in the middle depends on how far the others were; these are certain.
    for (const nothing of ['send-1-before', 'send-6-before', 'seal-1-after', 'apply-1-before']) {
      expect(matrix.get(`crash-${nothing}`), table).to.equal('nothing')
    }
    for (const whole of ['apply-3-after', 'answer-1-before']) expect(matrix.get(`crash-${whole}`), table).to.equal('whole')
  })

  it('crash in dkg: nodes that missed every attestation get the key from the one that has it', async () => {
    for (const name of cluster.names()) {
      cluster.tamper.set(name, (to, body) => {
        const isNews = 'gossip' in body || ('session' in body && body.session.round === 4)
        return isNews && to.name !== 'n3' ? undefined : body
      })
    }
    void createKey(cluster, 'missed')
    await until('n3 has the key', async () => (await holds('n3', 'missed')) === 'active')
    expect([await holds('n1', 'missed'), await holds('n2', 'missed')]).to.deep.equal(['pending', 'pending'])
    cluster.tamper.clear()
    for (const name of ['n1', 'n2']) await restart(name)
    expect(await outcomeOf('missed', 1)).to.equal('whole')
  })

  it('crash in dkg: nobody can make a node drop or replace a pending share', async () => {
    const point = new CrashPoint()
    await restart('n2', point)
    await pairsReady(cluster)
    // Killed with its share sealed but not stored: the others stay pending.
    point.arm({ deed: 'apply', at: 1, after: false })
    void createKey(cluster, 'kept')
    await point.crashed
    await until('n1 and n3 pending', async () => (await holds('n1', 'kept')) === 'pending' && (await holds('n3', 'kept')) === 'pending')
    await cluster.kill('n2')
    const known = async (name: string) =>
      decode(PendingKey, (await cluster.store(name).get('pending-key', 'kept/0000000000')) as Uint8Array).attestations.map((a) => a.party)
    await until('n1 and n3 have told each other', async () => (await known('n1')).join() === '1,3' && (await known('n3')).join() === '1,3')
    const before = await cluster.store('n1').get('pending-key', 'kept/0000000000')
    const link = await cluster.impostor('n2')
    const n1 = cluster.member('n1')
    await until('the link to n1', () => link.links().some((l) => l.up && l.member.name === 'n1'))
    const forged = [1, 2, 3].map((party) => ({ party, signature: new Uint8Array(64).fill(party) }))
    for (const certificateHash of [tagged('other'), new Uint8Array(32)]) {
      const epochs = [{ epoch: 0, certificateHash, attestations: forged }]
      const key = { keyId: 'kept', active: true, epoch: 0, proved: true, epochs }
      link.send(n1, encode(Frame, { body: { gossip: { keys: Array.from({ length: 256 }, () => key), asks: true } } }))
    }
    const again = { keyId: 'kept', nonce: tagged('again'), threshold: 2, parties: [1, 2, 3] }
    expect(codeIn(await cluster.ask(1, { createKey: again }))).to.equal('KEY_PENDING')
    expect(codeIn(await cluster.ask(1, { propose: proposal(1, tagged('x'), { keyId: 'kept' }) }))).to.equal('verdict')
    await statusOf(cluster, 1)
    expect(await cluster.store('n1').get('pending-key', 'kept/0000000000')).to.deep.equal(before)
    await link.stop()
    await cluster.start(['n2'])
    expect(await outcomeOf('kept', 2)).to.equal('nothing')
    expect(await cluster.store('n1').get('pending-key', 'kept/0000000000')).to.not.equal(undefined)
  })
})
