import { codeOf, tagged, utf8 } from '@conclave/core'
import { decode, encode, Frame } from '@conclave/wire'
import { expect } from 'chai'
import { TestCluster } from './cluster.fixture.ts'
import { otLie } from './lies.fixture.ts'
import { codeIn, expectSignature, newKey, pairsReady, signTransfer, statusOf, until } from './requests.fixture.ts'
import { SETUPS_MAX } from './setup-budget.ts'

const WAIT_MS = 60_000
const named = (name: string): Uint8Array => tagged('renewal', utf8(name))

describe('pair renewal', () => {
  let cluster: TestCluster
  let publicKey: Uint8Array
  let requests = 0

  before(async () => {
    cluster = await TestCluster.create(3, 2)
    await cluster.start()
    publicKey = await newKey(cluster)
    await pairsReady(cluster)
  })
  afterEach(() => cluster.tamper.clear())
  after(() => cluster.close())

  const renew = (party: number, peers: readonly number[], name: string, timeoutMs = WAIT_MS): Promise<void> =>
    cluster.node(`n${party}`).renewPairs(peers, named(name), timeoutMs)
  const renewBoth = (name: string) => Promise.all([renew(1, [2], name), renew(2, [1], name)])
  const epochAt = async (party: number, peer: number): Promise<number> =>
    (await statusOf(cluster, party)).pairs.find((p) => p.peer === peer)?.pairEpoch ?? 0
  const epochs = () => Promise.all([epochAt(1, 2), epochAt(2, 1)])
  const failureCode = (action: Promise<void>): Promise<string> => action.then(() => 'renewed', codeOf)
  const expectWorking = async (): Promise<void> => {
    await pairsReady(cluster)
    expectSignature(await signTransfer(cluster, ++requests, [1, 2]), publicKey)
  }

  it('pair renewal: both ends asking, one setup runs, and both hold its state when they are told', async () => {
    const [before = 0] = await epochs()
    await renewBoth('a')
    expect(await epochs()).to.deep.equal([before + 1, before + 1])
    await expectWorking()
  })

  it('pair renewal: a name that has been is done at once, also in the time that no peer could answer in', async () => {
    const [before = 0] = await epochs()
    cluster.tamper.set('n1', () => undefined)
    cluster.tamper.set('n2', () => undefined)
    expect(await failureCode(renew(1, [2], 'a', 0))).to.equal('renewed')
    expect(await failureCode(renew(2, [1], 'a', 0))).to.equal('renewed')
    cluster.tamper.clear()
    expect(await epochs()).to.deep.equal([before, before])
  })

  it('pair renewal: every pair of three nodes at once', async () => {
    await Promise.all([renew(1, [2, 3], 'all'), renew(2, [1, 3], 'all'), renew(3, [1, 2], 'all')])
    await expectWorking()
    expect(await epochAt(2, 3))
      .to.equal(await epochAt(3, 2))
      .and.greaterThan(1)
  })

  for (const party of [1, 2]) {
    it(`pair renewal: n${party} alone asking is enough, and the other end then knows it as done`, async () => {
      const [before = 0] = await epochs()
      await renew(party, [3 - party], `only ${party}`)
      expect(await epochs()).to.deep.equal([before + 1, before + 1])
      await renew(3 - party, [party], `only ${party}`, 0)
    })
  }

  it('pair renewal: two names at once are two setups, whoever asks first for which', async () => {
    const [before = 0] = await epochs()
    await Promise.all([renew(1, [2], 'x'), renew(2, [1], 'y'), renew(1, [2], 'y'), renew(2, [1], 'x')])
    expect(await epochs()).to.deep.equal([before + 2, before + 2])
    await expectWorking()
  })

  it('pair renewal: signing goes on with the state before it; between the two ends storing the new one it is a retry', async () => {
    const gates = new Map([1, 2].map((j) => [j, Promise.withResolvers<void>()]))
    const isAtGate = new Set<number>()
    for (const [j, gate] of gates) {
      await cluster.kill(`n${j}`)
      await cluster.start([`n${j}`], {
        rig: (parts) => ({
          ...parts,
          vault: {
            ...parts.vault,
            seal: async (context, secret) => {
              if (context.keyId === `pair-${3 - j}`) {
                isAtGate.add(j)
                await gate.promise
              }
              return parts.vault.seal(context, secret)
            },
          },
        }),
      })
    }
    await pairsReady(cluster)
    const [before = 0] = await epochs()
    const renewing = renewBoth('slow')
    await until('both have the new state and store it', () => isAtGate.size === 2)
    await expectWorking()
    gates.get(2)?.resolve()
    await until('n2 has stored it', async () => (await epochAt(2, 1)) === before + 1)
    expect(await epochAt(1, 2)).to.equal(before)
    const codes = (await signTransfer(cluster, ++requests, [1, 2])).map(codeIn)
    expect(codes).to.include('SIGN_PAIR_MISMATCH')
    gates.get(1)?.resolve()
    await renewing
    expect(await epochs()).to.deep.equal([before + 1, before + 1])
    await expectWorking()
  })

  it('pair renewal: the link lost in the middle of the setup, it is made after all', async () => {
    const [before = 0] = await epochs()
    let isThere = false
    cluster.tamper.set('n1', (_to, body) => {
      if ('session' in body && body.session.round >= 2) isThere = true
      return body
    })
    const renewing = renewBoth('flap')
    await until('the setup is under way', () => isThere)
    cluster.hub.cut(cluster.member('n1'), cluster.member('n2'))
    cluster.hub.heal(cluster.member('n1'), cluster.member('n2'))
    await renewing
    const after = await epochs()
    expect(after[0]).to.equal(after[1]).and.greaterThan(before)
    await expectWorking()
  })

  it('pair renewal: a peer that is not there is waited for until the time is over, and named', async () => {
    await cluster.kill('n3')
    const failure = await renew(1, [2, 3], 'away', 50).then(
      () => undefined,
      (e: unknown) => e,
    )
    expect(failure).to.deep.include({ code: 'PAIR_NOT_RENEWED', retriable: true })
    expect(failure).to.have.deep.property('waitingFor').that.includes(3)
    await cluster.start(['n3'])
    await renew(1, [3], 'away')
    await expectWorking()
  })

  it('pair renewal: the higher end killed before it stored the new state, the lower one is not told that it is done', async () => {
    let isSealing = false
    await cluster.kill('n2')
    await cluster.start(['n2'], {
      rig: (parts) => ({
        ...parts,
        vault: {
          ...parts.vault,
          seal: (context, secret) => {
            if (context.recordType !== 'pair-state') return parts.vault.seal(context, secret)
            isSealing = true
            return new Promise(() => undefined)
          },
        },
      }),
    })
    await pairsReady(cluster, [1, 2])
    const [before = 0] = await epochs()
    let isDone = false
    const renewing = renew(1, [2], 'crash').then(() => {
      isDone = true
    })
    await until('n1 has stored it', async () => isSealing && (await epochAt(1, 2)) === before + 1)
    expect(await epochAt(2, 1)).to.equal(before)
    expect(isDone).to.equal(false)
    await cluster.kill('n2')
    await cluster.start(['n2'])
    await renewing
    await renew(2, [1], 'crash')
    const after = await epochs()
    expect(after[0])
      .to.equal(after[1])
      .and.greaterThan(before + 1)
    await expectWorking()
  })

  it('pair renewal: a node that has forgotten the name in a restart learns it from its peer, without another setup', async () => {
    await renewBoth('known')
    for (const name of ['n1', 'n2']) {
      const [before = 0] = await epochs()
      await cluster.kill(name)
      await cluster.start([name])
      await (name === 'n1' ? renew(1, [2], 'known') : renew(2, [1], 'known'))
      expect(await epochs()).to.deep.equal([before, before])
    }
  })

  it('pair renewal: a burned pair is refused at once, also to one who waits; after a reset no earlier name is done', async () => {
    await renewBoth('earlier')
    // Nothing of n3 reaches anybody, so its renewal stays open.
    cluster.tamper.set('n3', () => undefined)
    const waiting = failureCode(renew(1, [2, 3], 'open'))
    await until('the renewal with n2', async () => (await failureCode(renew(1, [2], 'open', 0))) === 'renewed')
    cluster.tamper.set('n2', otLie('n1'))
    await signTransfer(cluster, ++requests, [1, 2])
    expect(await waiting).to.equal('PAIR_BURNED')
    expect(await failureCode(renew(1, [2], 'earlier', 0))).to.equal('PAIR_BURNED')
    cluster.tamper.clear()
    await cluster.node('n1').admin.resetPair('n2', 'test')
    expect(await failureCode(renew(1, [2], 'earlier', 0))).to.equal('PAIR_NOT_RENEWED')
    await renew(1, [2], 'earlier')
    await expectWorking()
    // Not burned, and destroyed all the same.
    await cluster.node('n1').admin.resetPair('n2', 'test')
    expect(await failureCode(renew(1, [2], 'earlier', 0))).to.equal('PAIR_NOT_RENEWED')
    await expectWorking()
  })

  it('pair renewal: a peer cannot have us renew without end', async () => {
    const current = (await statusOf(cluster, 2)).pairs.find((p) => p.peer === 1)?.pairId as Uint8Array
    const before = await epochAt(2, 1)
    await cluster.kill('n1')
    // A new process counts anew.
    await cluster.kill('n2')
    await cluster.start(['n2'])
    const answers: Frame['body'][] = []
    const rival = await cluster.impostor('n1', (bytes) => answers.push(decode(Frame, bytes).body))
    const n2 = cluster.member('n2')
    await until('the link', () => rival.links().some((l) => l.up && l.member.name === 'n2'))
    const codes: string[] = []
    for (let id = 1; id < SETUPS_MAX + 4; id++) {
      const pairOffer = { pairEpoch: before + 1, nonce: named(`flood ${id}`), current, renewal: named(`flood ${id}`) }
      rival.send(n2, encode(Frame, { body: { request: { id, traceparent: '', body: { pairOffer } } } }))
      const answer = () => answers.find((b) => 'response' in b && b.response.id === id)
      await until('an answer', () => answer() !== undefined)
      const body = answer()
      if (body !== undefined && 'response' in body) codes.push(codeIn(body.response.body))
    }
    // One may have been earned while the test ran.
    expect(codes.filter((c) => c === 'pairAccept').length).to.be.within(SETUPS_MAX, SETUPS_MAX + 1)
    expect(codes.at(-1)).to.equal('PAIR_BUSY')
    await rival.stop()
    await cluster.kill('n2')
    await cluster.start(['n1', 'n2'])
    await expectWorking()
  })

  it('pair renewal: a name of the wrong length and a node that stops are refused', async () => {
    expect(await failureCode(cluster.node('n1').renewPairs([2], new Uint8Array(31), WAIT_MS))).to.equal('BAD_RENEWAL')
    cluster.tamper.set('n3', () => undefined)
    const waiting = failureCode(renew(3, [1], 'never'))
    await cluster.node('n3').stop()
    expect(await waiting).to.equal('CLOSED')
  })
})
