import { fromHex, tagged, toHex } from '@conclave/core'
import { encode, Frame } from '@conclave/wire'
import { expect } from 'chai'
import { TestCluster } from './cluster.fixture.ts'
import { gammaULie, gammaVLie, otLie, voleLie } from './lies.fixture.ts'
import {
  codeIn,
  expectSignature,
  failureIn,
  newKey,
  pairStateOf,
  pairsReady,
  propose,
  sign,
  signTransfer,
  transfer,
  until,
} from './requests.fixture.ts'

describe('burn and ban', () => {
  let cluster: TestCluster
  let publicKey: Uint8Array
  let requests = 0

  before(async () => {
    cluster = await TestCluster.create(4, 2)
    await cluster.start()
    publicKey = await newKey(cluster)
  })
  afterEach(() => {
    cluster.tamper.clear()
    cluster.hub.loses = () => false
  })
  after(() => cluster.close())

  const expectNoBurn = async (): Promise<void> => {
    for (const j of cluster.parties()) {
      for (const peer of cluster.parties()) if (peer !== j) expect(await pairStateOf(cluster, j, peer)).to.not.equal('burned')
    }
  }

  // Honest failures first: they must leave every pair alive.

  it('false-ban griefing: a lost link, silence and a restart burn nothing', async () => {
    const [n1, n2] = [cluster.member('n1'), cluster.member('n2')]
    cluster.hub.loses = (from, to) => from.name === 'n2' && to.name === 'n1'
    const mute = signTransfer(cluster, ++requests, [1, 2])
    await until('both have begun', () => cluster.pool('n1').running === 1 && cluster.pool('n2').running === 1)
    cluster.hub.cut(n1, n2)
    expect((await mute).map(codeIn)).to.deep.equal(['PEER_LOST', 'PEER_LOST'])
    cluster.hub.loses = () => false
    cluster.hub.heal(n1, n2)
    await pairsReady(cluster)
    await expectNoBurn()
    expectSignature(await signTransfer(cluster, ++requests, [1, 2]), publicKey)
  })

  it('false-ban griefing: malformed, replayed, misplaced and spoofed messages and ends of strangers burn nothing and stop nothing', async () => {
    const strays: Frame['body'][] = []
    cluster.tamper.set('n2', (_to, body) => {
      if ('session' in body) strays.push(body)
      return body
    })
    expectSignature(await signTransfer(cluster, ++requests, [1, 2]), publicKey)
    cluster.tamper.clear()
    // n3 throws at n1 whatever it can while n1 and n2 sign: what n2 said before, in n2's name and its own, and ends of every session.
    const seen = new Set<string>()
    cluster.tamper.set('n2', (_to, body) => {
      if ('session' in body) seen.add(toHex(body.session.sessionId))
      return body
    })
    await cluster.kill('n3')
    const link = await cluster.impostor('n3')
    const n1 = cluster.member('n1')
    await until('the link to n1', () => link.links().some((l) => l.up && l.member.name === 'n1'))
    const throwAll = () => {
      for (const id of seen) {
        const sessionId = fromHex(id)
        for (const from of [2, 3]) {
          link.send(n1, encode(Frame, { body: { end: { sessionId, from, code: 'OT_CHECK' } } }))
          for (const round of [0, 1, 2, 3, 4, 9]) {
            link.send(n1, encode(Frame, { body: { session: { sessionId, from, round, body: Uint8Array.of(1, 2, 3) } } }))
          }
        }
      }
      for (const body of strays) {
        if (!('session' in body)) continue
        link.send(n1, encode(Frame, { body }))
        link.send(n1, encode(Frame, { body: { session: { ...body.session, from: 3 } } }))
      }
    }
    let isDone = false
    const signing = signTransfer(cluster, ++requests, [1, 2]).finally(() => {
      isDone = true
    })
    await until('signed under fire', () => {
      throwAll()
      return isDone
    })
    expectSignature(await signing, publicKey)
    await link.stop()
    await cluster.start(['n3'])
    await pairsReady(cluster)
    await expectNoBurn()
  })

  it('false-ban griefing: a peer that sends nonsense, replays and wrong rounds in its own session wins nothing and burns nothing', async () => {
    const wrong = [Uint8Array.of(0xff), new Uint8Array(90_000).fill(7)]
    let lies = 0
    cluster.tamper.set('n2', (_to, body) => {
      if (!('session' in body)) return body
      lies++
      return { session: { ...body.session, round: lies % 2 === 0 ? 4 : body.session.round, body: wrong[lies % 2] as Uint8Array } }
    })
    const failing = signTransfer(cluster, ++requests, [1, 2])
    await until('n2 has lied', () => lies > 0 && cluster.pool('n1').running === 1)
    cluster.hub.cut(cluster.member('n1'), cluster.member('n2'))
    expect((await failing).map(codeIn)).to.deep.equal(['PEER_LOST', 'PEER_LOST'])
    cluster.hub.heal(cluster.member('n1'), cluster.member('n2'))
    cluster.tamper.clear()
    await pairsReady(cluster)
    await expectNoBurn()
  })

  // From here on pairs are burned: 1-2, 1-3, 2-3, 2-4 in this order; 1-4 and 3-4 stay.

  const cases = [
    { name: 'OT selective failure: a wrong OT check value', code: 'OT_CHECK', liar: 2, victim: 1, lie: otLie },
    { name: 'VOLE inconsistent rows: rows that do not fit', code: 'VOLE_CHECK', liar: 3, victim: 1, lie: voleLie },
    { name: 'gamma tampering: another nonce in the product', code: 'SIGN_NONCE_PRODUCT', liar: 3, victim: 2, lie: gammaULie },
    { name: 'gamma tampering: another key share in the product', code: 'SIGN_KEY_PRODUCT', liar: 4, victim: 2, lie: gammaVLie },
  ]
  for (const { name, code, liar, victim, lie } of cases) {
    it(`${name} is ${code}, names the culprit and burns the pair for good`, async () => {
      cluster.tamper.set(`n${liar}`, lie(`n${victim}`))
      const signers = [liar, victim].sort()
      const answers = await signTransfer(cluster, ++requests, signers)
      cluster.tamper.clear()
      const [atVictim, atLiar] = [answers[signers.indexOf(victim)], answers[signers.indexOf(liar)]] as [
        (typeof answers)[0],
        (typeof answers)[0],
      ]
      expect(failureIn(atVictim)).to.deep.include({ code, culprits: [liar], retriable: false })
      // The other end is told that it is over, and blames nobody for it.
      expect(failureIn(atLiar)).to.deep.include({ code: 'PEER_STOPPED', culprits: [] })
      expect(await pairStateOf(cluster, victim, liar)).to.equal('burned')

      expect((await sign(cluster, requests, signers, 1)).map(codeIn)[signers.indexOf(victim)]).to.equal('PAIR_BURNED')
      await cluster.kill(`n${victim}`)
      await cluster.start([`n${victim}`])
      await pairsReady(cluster, victim === 1 ? [1, 4] : [3, 4])
      expect(await pairStateOf(cluster, victim, liar)).to.equal('burned')
      expect((await sign(cluster, requests, signers, 2)).map(codeIn)[signers.indexOf(victim)]).to.equal('PAIR_BURNED')
      expect(await cluster.store(`n${victim}`).get('pair', String(liar))).to.equal(undefined)
    })
  }

  it('burn and ban: reconnecting, from either side, does not bring a burned pair back', async () => {
    const [n1, n2] = [cluster.member('n1'), cluster.member('n2')]
    cluster.hub.cut(n1, n2)
    cluster.hub.heal(n1, n2)
    await cluster.kill('n2')
    await cluster.start(['n2'])
    await until('n2 has asked and been refused', async () => (await pairStateOf(cluster, 2, 1)) === 'missing')
    expect(await pairStateOf(cluster, 1, 2)).to.equal('burned')
    // A liar may ask for a setup as often as it likes.
    await cluster.kill('n2')
    const link = await cluster.impostor('n2')
    await until('the link to n1', () => link.links().some((l) => l.up && l.member.name === 'n1'))
    for (const pairEpoch of [1, 2, 1000]) {
      const pairOffer = { pairEpoch, nonce: tagged('offer'), current: new Uint8Array(0), renewal: new Uint8Array(0) }
      link.send(n1, encode(Frame, { body: { request: { id: pairEpoch, traceparent: '', body: { pairOffer } } } }))
    }
    expect(await pairStateOf(cluster, 1, 2)).to.equal('burned')
    expect(cluster.pool('n1').running).to.equal(0)
    await link.stop()
    await cluster.start(['n2'])
  })

  it('burn and ban: quorums without the burned pairs still sign', async () => {
    await pairsReady(cluster, [1, 4])
    await pairsReady(cluster, [3, 4])
    expectSignature(await signTransfer(cluster, ++requests, [1, 4]), publicKey)
    expectSignature(await signTransfer(cluster, ++requests, [3, 4]), publicKey)
  })

  it('burn and ban: every session under way with the culprit dies with the pair', async () => {
    // Two requests at 1 and 4. n4 says nothing in the first, and lies in the second.
    const silent = ++requests
    await propose(cluster, silent, [1, 4], transfer(BigInt(silent)))
    let swallowed = 0
    cluster.tamper.set('n4', (_to, body) => {
      if (!('session' in body)) return body
      swallowed++
      return undefined
    })
    const first = sign(cluster, silent, [1, 4])
    await until('n4 has kept its message back', () => swallowed > 0 && cluster.pool('n1').running === 1)
    cluster.tamper.set('n4', otLie('n1'))
    const second = await signTransfer(cluster, ++requests, [1, 4])
    expect(codeIn(second[0] as (typeof second)[0])).to.equal('OT_CHECK')
    expect((await first).map(codeIn)).to.deep.equal(['PAIR_BURNED', 'PEER_STOPPED'])
    expect(cluster.pool('n1').running).to.equal(0)
    expect(codeIn((await sign(cluster, silent, [1, 4], 1))[0] as (typeof second)[0])).to.equal('PAIR_BURNED')
  })

  it('burn and ban: the burn is on the disk before anybody hears of the failure', async () => {
    const gate = Promise.withResolvers<void>()
    const heard: string[] = []
    let atGate = false
    await cluster.kill('n3')
    await cluster.start(['n3'], {
      rig: (parts) => ({
        ...parts,
        store: new Proxy(parts.store, {
          get: (target, name) => {
            const bound = (Reflect.get(target, name, target) as typeof target.apply).bind(target)
            if (name !== 'apply') return bound
            return async (...[changes]: Parameters<typeof target.apply>) => {
              if (!changes.some((c) => 'put' in c && c.put === 'burn')) return bound(changes)
              atGate = true
              await gate.promise
              await bound(changes)
              heard.push('stored')
            }
          },
        }),
      }),
    })
    await pairsReady(cluster, [3, 4])
    await propose(cluster, ++requests, [3, 4], transfer(1n))
    cluster.tamper.set('n4', otLie('n3'))
    cluster.tamper.set('n3', (to, body) => {
      if ('end' in body || 'response' in body) heard.push(`${to.name} hears`)
      return body
    })
    const signing = sign(cluster, requests, [3, 4])
    await until('n3 is about to store the burn', () => atGate)
    expect(heard).to.deep.equal([])
    gate.resolve()
    const codes = (await signing).map(codeIn)
    expect(codes).to.deep.equal(['OT_CHECK', 'PEER_STOPPED'])
    expect(heard).to.deep.equal(['stored', 'n4 hears', 'c1 hears'])
  })
})
