import { type PartyId, type Random, seededRandom, tagged, toHex, utf8 } from '@conclave/core'
import {
  decode,
  encode,
  type MessageField,
  OtExtension,
  SignCommit,
  SignOpen,
  SignPartial,
  SignVole,
  type ValueOf,
  Vole,
} from '@conclave/wire'
import { expect } from 'chai'
import type { EcdsaSignature } from './ecdsa.ts'
import * as product from './ot-extension.ts'
import { type PairState, pairContext, secretsOf } from './pair-state.ts'
import { Session } from './session.ts'
import { SIGN_ROUNDS, sign } from './sign.ts'
import type { SignRequest } from './sign-request.ts'
import { CLUSTER_CONTEXT, makeCluster, NO_POOL, runSign, type TestCluster, testRequest } from './testing/cluster.ts'
import { NaiveSigner, pairCtx, readPair } from './testing/naive.fixture.ts'
import { type Bits, bigEndian, mod, packBits, q } from './testing/naive-maths.fixture.ts'
import * as naive from './testing/naive-ot.fixture.ts'
import { type InFlight, partyRandom } from './testing/run.ts'
import { type AliceVole, type BobVole, voleAlice, voleBob } from './vole.ts'

const random = (seed: string): Random => seededRandom(utf8(`naive/${seed}`))
const hex = (type: MessageField, value: unknown): string => toHex(encode(type, value as never))
const rowsHex = (rows: readonly Bits[]): string => rows.map((row) => toHex(packBits(row))).join('')

/** Runs `act` and gives the number of the check that stopped it. */
function stopOf(act: () => unknown): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    if (error instanceof naive.NaiveAbort) return error.check
    throw error
  }
}

/** One pair whose Alice is party 1: what each end holds, as the product and as the naive code want it. */
function correlatedPair() {
  const draw = random('pair')
  const delta = draw.bytes(16)
  const seeds0 = draw.bytes(4096)
  const seeds1 = draw.bytes(4096)
  const bits = [...delta].flatMap((b) => [0, 1, 2, 3, 4, 5, 6, 7].map((i) => (b >> i) & 1))
  const cut = (bytes: Uint8Array) => bits.map((_, i) => bytes.slice(32 * i, 32 * i + 32))
  const chosen = bits.map((bit, i) => cut(bit === 1 ? seeds1 : seeds0)[i] as Uint8Array)
  const seeds = Uint8Array.from(chosen.flatMap((s) => [...s]))
  return { delta, bits, seeds0, seeds1, seeds, chosen, lists: [cut(seeds0), cut(seeds1)] }
}

/** Both ends' product and naive results on one pair, from the same randomness. */
function extensions() {
  const pair = correlatedPair()
  const names = [tagged('sid'), tagged('pair')] as const
  const bob = product.extendBob(...names, pair, random('bob'))
  const naiveBob = naive.extendBob(...names, pair.lists, random('bob'))
  const alice = (m: OtExtension) => product.extendAlice(...names, pair, m)
  const naiveAlice = (m: OtExtension) => naive.extendAlice(...names, { delta: pair.bits, seeds: pair.chosen }, m)
  const cheatingBob = (column: number) => naive.extendBob(...names, pair.lists, random('bob'), column)
  return { pair, bob, naiveBob, alice, naiveAlice, cheatingBob }
}

describe('naive: the OT extension', () => {
  let ends: ReturnType<typeof extensions>
  before(() => {
    ends = extensions()
  })

  it('Bob says the same bytes and holds the same choices and rows', () => {
    const { bob, naiveBob } = ends
    expect(hex(OtExtension, naiveBob.message)).to.equal(hex(OtExtension, bob.message))
    expect(toHex(packBits(naiveBob.x))).to.equal(toHex(bob.choices))
    expect(rowsHex(naiveBob.rows)).to.equal(toHex(bob.rows))
    expect(toHex(naiveBob.nu)).to.equal(toHex(bob.nu))
  })

  it('each Alice accepts the other Bob and holds the same rows', () => {
    const { pair, bob, naiveBob, alice, naiveAlice } = ends
    const real = alice(naiveBob.message)
    const plain = naiveAlice(bob.message)
    expect(toHex(real?.rows as Uint8Array)).to.equal(rowsHex(plain.rows))
    const j = bob.choices.findIndex((b) => (b & 1) === 1) * 8
    expect(plain.rows[j]).to.deep.equal(naiveBob.rows[j]?.map((v, i) => v ^ (pair.bits[i] as number)))
  })

  it('both Alices refuse a wrong column exactly where the bit of Delta is 1 (3.1)', () => {
    const { pair, alice, naiveAlice, cheatingBob } = ends
    const caught = [0, 1, 2, 3, 63, 64, 126, 127].map((i) => {
      const { message } = cheatingBob(i)
      expect(alice(message) === undefined, `product, column ${i}`).to.equal(pair.bits[i] === 1)
      expect(
        stopOf(() => naiveAlice(message)),
        `naive, column ${i}`,
      ).to.equal(pair.bits[i] === 1 ? '3.1' : undefined)
      return pair.bits[i]
    })
    expect(caught).to.include(0).and.include(1)
  })
})

describe('naive: the VOLE', () => {
  let ends: ReturnType<typeof extensions>
  let real: AliceVole
  let plain: naive.NaiveAliceVole
  const realBob = (m: Vole) => voleBob(ends.bob.nu, ends.bob.message, ends.bob, m)
  const naiveBobOf = (m: Vole) => naive.voleBob(ends.naiveBob.nu, ends.naiveBob.message, ends.naiveBob, m)
  before(() => {
    ends = extensions()
    const { pair, bob, alice, naiveAlice } = ends
    const { nu, rows } = alice(bob.message) as product.AliceExtension
    real = voleAlice(nu, bob.message, rows, pair.delta, random('alice'))
    plain = naive.voleAlice(naiveAlice(bob.message), bob.message, random('alice'))
  })

  it('Alice says the same bytes and holds the same inputs and shares', () => {
    expect(hex(Vole, plain.message)).to.equal(hex(Vole, real.message))
    expect(plain.alpha).to.deep.equal(real.alpha.map(bigEndian))
    expect(plain.t).to.deep.equal(real.t.map(bigEndian))
  })

  it('each Bob accepts the other Alice, and t + r = alpha * beta', () => {
    const there = naiveBobOf(real.message)
    const { beta, r } = realBob(plain.message) as BobVole
    expect({ beta: bigEndian(beta), r: r.map(bigEndian) }).to.deep.equal({ beta: there.beta, r: there.r })
    for (const c of [0, 1] as const)
      expect(mod(bigEndian(real.t[c]) + (there.r[c] as bigint))).to.equal(mod(bigEndian(real.alpha[c]) * there.beta))
  })

  it('both Bobs refuse a wrong row exactly where the choice bit is 1 (4.1)', () => {
    const { bob, naiveBob, naiveAlice } = ends
    const held = naiveAlice(bob.message)
    const caught = [0, 1, 2, 400, 767].map((j) => {
      const { message } = naive.voleAlice(held, bob.message, random('alice'), j)
      const bit = naiveBob.x[j]
      expect(realBob(message) === 'inconsistent', `product, row ${j}`).to.equal(bit === 1)
      expect(
        stopOf(() => naiveBobOf(message)),
        `naive, row ${j}`,
      ).to.equal(bit === 1 ? '4.1' : undefined)
      return bit
    })
    expect(caught).to.include(0).and.include(1)
  })

  it('both Bobs call a scalar of q or more malformed, before any secret is used', () => {
    const message = { ...real.message, rows: Uint8Array.from(real.message.rows).fill(0xff, 0, 32) }
    expect([realBob(message), stopOf(() => naiveBobOf(message))]).to.deep.equal(['malformed', '0'])
  })
})

const ROUNDS: readonly MessageField[] = [SignCommit, SignVole, SignOpen, SignPartial]
const SIGNERS: readonly PartyId[] = [1, 2, 4]

function naiveSigner(cluster: TestCluster, self: PartyId, request: SignRequest, draw: Random): NaiveSigner {
  const share = cluster.shares.get(self)
  const pairs = new Map([...(cluster.pairs.get(self) ?? [])].map(([j, state]) => [j, readPair(state.public, state.secret.bytes)]))
  if (share === undefined) throw new Error('no share')
  return new NaiveSigner({ clusterCtx: CLUSTER_CONTEXT, self, key: share.public, share: share.secret.bytes, pairs, request, random: draw })
}

/** Four rounds of one naive signer; `exchange` takes its messages of a round and gives those of the peers. */
function drive(
  signer: NaiveSigner,
  peers: readonly PartyId[],
  exchange: (round: number, said: Map<PartyId, Uint8Array>) => Map<PartyId, Uint8Array>,
) {
  const pass = <M extends MessageField>(round: number, said: ReadonlyMap<PartyId, unknown>): Map<PartyId, ValueOf<M>> => {
    const type = ROUNDS[round - 1] as M
    const heard = exchange(round, new Map([...said].map(([j, value]) => [j, encode(type, value as never)])))
    return new Map([...heard].map(([j, body]) => [j, decode(type, body)]))
  }
  const commits = pass<typeof SignCommit>(1, signer.round1())
  const voles = pass<typeof SignVole>(2, signer.round2(commits))
  const opens = pass<typeof SignOpen>(3, signer.round3(voles))
  const partial = signer.round4(opens)
  return signer.finish(pass<typeof SignPartial>(4, new Map(peers.map((j) => [j, partial]))))
}

describe('naive: signing', () => {
  let cluster: TestCluster
  before(() => {
    cluster = makeCluster([1, 2, 3, 4], 3, 'naive', SIGNERS)
  })
  const request = testRequest(SIGNERS, { path: [0, 7], attempt: 3 })

  it('the pair context and the correlation of the seeds are those of the product', () => {
    const state = cluster.pairs.get(2)?.get(1) as PairState
    const pair = readPair(state.public, state.secret.bytes)
    expect(toHex(pairCtx(CLUSTER_CONTEXT, pair, 1, 2))).to.equal(toHex(pairContext(state.public, 1, 2)))
    const there = cluster.pairs.get(1)?.get(2) as PairState
    const alice = readPair(there.public, there.secret.bytes)
    const chosen = alice.delta.map((bit, i) => pair.bobSeeds[bit]?.[i] as Uint8Array)
    expect(alice.aliceSeeds.map(toHex)).to.deep.equal(chosen.map(toHex))
    expect(toHex(alice.zeroSeed)).to.equal(toHex(secretsOf(state).zeroSeed))
  })

  it('given the randomness of a run, every message of every party and the signature are the same bytes', () => {
    const log: InFlight[] = []
    const { results } = runSign(cluster, request, 'replay', { watch: (m) => log.push(m) })
    for (const self of SIGNERS) {
      const peers = SIGNERS.filter((j) => j !== self)
      const signer = naiveSigner(cluster, self, request, partyRandom('sign/replay', self))
      const signature = drive(signer, peers, (round, said) => {
        for (const [to, body] of said) {
          const sent = log.find((m) => m.from === self && m.to === to && m.round === round)
          expect(toHex(body), `party ${self} to ${to}, round ${round}`).to.equal(toHex(sent?.body as Uint8Array))
        }
        return new Map(peers.map((j) => [j, log.find((m) => m.from === j && m.to === self && m.round === round)?.body as Uint8Array]))
      })
      expect(signature).to.deep.equal(results.get(self))
    }
  })

  it('a naive party signs with two real ones', () => {
    const self = 2
    const peers = SIGNERS.filter((j) => j !== self)
    const sessions = new Map(peers.map((j) => [j, realSession(cluster, j, request)]))
    const out = new Map(peers.map((j) => [j, [...(sessions.get(j) as Session<readonly EcdsaSignature[]>).start()]]))
    const signature = drive(naiveSigner(cluster, self, request, random('live')), peers, (round, said) => {
      const heard = new Map(peers.map((j) => [j, bodyOf(out, j, self, round)]))
      const deliver = (from: PartyId, to: PartyId, body: Uint8Array) =>
        out.get(to)?.push(...(sessions.get(to) as Session<readonly EcdsaSignature[]>).receive(from, round, body))
      for (const from of peers) for (const to of peers) if (from !== to) deliver(from, to, bodyOf(out, from, to, round))
      for (const [to, body] of said) deliver(self, to, body)
      return heard
    })
    for (const j of peers) expect((sessions.get(j) as Session<readonly EcdsaSignature[]>).result).to.deep.equal(signature)
    expect(BigInt(`0x${toHex((signature[0] as EcdsaSignature).signature.slice(32))}`) <= q / 2n).to.equal(true)
  })
})

function realSession(cluster: TestCluster, self: PartyId, request: SignRequest): Session<readonly EcdsaSignature[]> {
  const share = cluster.shares.get(self)
  const pairs = cluster.pairs.get(self)
  if (share === undefined || pairs === undefined) throw new Error('not in the cluster')
  const protocol = sign({ clusterContext: CLUSTER_CONTEXT, share, request, pairs, random: partyRandom('sign/live', self), ...NO_POOL })
  return new Session({ self, peers: request.signers.filter((j) => j !== self), rounds: SIGN_ROUNDS, protocol })
}

function bodyOf(
  out: ReadonlyMap<PartyId, readonly { round: number; to: PartyId | 'all'; body: Uint8Array }[]>,
  from: PartyId,
  to: PartyId,
  round: number,
): Uint8Array {
  return out.get(from)?.find((m) => m.round === round && (m.to === to || m.to === 'all'))?.body as Uint8Array
}
