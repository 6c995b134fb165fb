import { concat, utf8 } from '@conclave/core'
import type { Opening } from '@conclave/wire'
import { expect } from 'chai'
import {
  addScalars,
  G,
  mul,
  mulBase,
  mulScalars,
  type Point,
  pointFromBytes,
  pointToBytes,
  q,
  scalarFromBytes,
  scalarToBytes,
  subPoints,
} from './arithmetic.ts'
import type { Product } from './correlation.ts'
import { type Checked, checkOpenings, combine, commitmentOf, type Item, partialOf } from './sign-maths.ts'
import { expectAbort } from './testing/claims.fixture.ts'

const sid = utf8('session')
const secrets = { k: 11n, sk: 22n, phi: 33n }
const bob = { beta: 1234n, r: [56n, 78n] as const }
/** Two parties, ourselves being 1. Only what the openings are checked against. */
const item = (publicKey: Point): Item => ({ id: sid, digest: new Uint8Array(32), secrets, publicKey: pointToBytes(publicKey) })
const products = new Map([[3, bob as Product]])

/** An opening of party 3 whose products hold, for any two points, without knowing their logarithms. */
function fitting(noncePoint: Point, keyPoint: Point): Opening {
  const [gammaU, gammaV] = [5n, 6n]
  const d = [addScalars(bob.r[0], mulScalars(gammaU, bob.beta)), addScalars(bob.r[1], mulScalars(gammaV, bob.beta))] as const
  return {
    noncePoint: pointToBytes(noncePoint),
    keyPoint: pointToBytes(keyPoint),
    salt: new Uint8Array(32),
    gammaU: scalarToBytes(gammaU),
    gammaV: scalarToBytes(gammaV),
    checkU: pointToBytes(subPoints(mul(noncePoint, bob.beta), mulBase(d[0]))),
    checkV: pointToBytes(subPoints(mul(keyPoint, bob.beta), mulBase(d[1]))),
    psi: scalarToBytes(7n),
  }
}

const scalarOf = (b: Uint8Array) => scalarFromBytes(b) as bigint
const KEY = mulBase(1000n)
const theirKeyPoint = subPoints(KEY, mulBase(secrets.sk))
/** Checks 5.2 to 5.6 when the sum of nonces is `nonce`. */
function check(nonce: Point) {
  const opening = fitting(subPoints(nonce, mulBase(secrets.k)), theirKeyPoint)
  const said = new Map([[3, { echo: new Uint8Array(32), openings: [opening] }]])
  const [checked] = checkOpenings({ items: [item(KEY)], peers: [3] }, [products], said, new Map([[3, [commitmentOf(sid, 3, opening)]]]))
  return checked as Checked
}
function failure(act: () => unknown) {
  try {
    act()
    return undefined
  } catch (error) {
    return error as Parameters<typeof expectAbort>[0]
  }
}
/** A point with this x, if the curve has one. */
const pointAt = (x: bigint) =>
  pointFromBytes(concat(Uint8Array.of(2), Uint8Array.from(Buffer.from(x.toString(16).padStart(64, '0'), 'hex'))))

describe('sign maths', () => {
  it('sign maths: openings that fit are accepted, with the sum of nonces and the right d', () => {
    const { nonce, psi, d } = check(mulBase(99n))
    expect(nonce.equals(mulBase(99n))).to.equal(true)
    expect(psi.get(3)).to.equal(7n)
    expect(d.get(3)).to.deep.equal([56n + 5n * 1234n, 78n + 6n * 1234n])
  })

  it('sign maths: 5.6 a sum of nonces with r = 0, which is a point with x = q, is refused and names nobody', () => {
    const degenerate = pointAt(q) as Point
    expect(degenerate.toAffine().x).to.equal(q)
    expectAbort(
      failure(() => check(degenerate)),
      'SIGN_ZERO_NONCE',
    )
    expectAbort(
      failure(() => check(degenerate.negate())),
      'SIGN_ZERO_NONCE',
    )
    // The nearest neighbours are fine.
    expect(failure(() => check(pointAt(q + 2n) as Point))).to.equal(undefined)
    expect(failure(() => check(G))).to.equal(undefined)
  })

  it('sign maths: 5.6 a sum of nonces that is O is refused and names nobody', () => {
    expectAbort(
      failure(() => check(subPoints(G, G))),
      'SIGN_ZERO_NONCE',
    )
  })

  it('sign maths: a commitment binds session, party, both points and the salt', () => {
    const opening = fitting(G, KEY)
    const all = [
      commitmentOf(sid, 3, opening),
      commitmentOf(utf8('other'), 3, opening),
      commitmentOf(sid, 1, opening),
      commitmentOf(sid, 3, { ...opening, noncePoint: opening.keyPoint }),
      commitmentOf(sid, 3, { ...opening, keyPoint: opening.noncePoint }),
      commitmentOf(sid, 3, { ...opening, noncePoint: opening.keyPoint, keyPoint: opening.noncePoint }),
      commitmentOf(sid, 3, { ...opening, salt: new Uint8Array(32).fill(1) }),
    ]
    expect(new Set(all.map((c) => Buffer.from(c).toString('hex'))).size).to.equal(all.length)
  })

  it('sign maths: 5.7 sums of zero end the run instead of dividing by zero', () => {
    const zero = new Map([[3, { partials: [{ u: scalarToBytes(q - 4n), w: scalarToBytes(q - 5n) }] }]])
    const checked: Checked = { nonce: G, psi: new Map(), d: new Map() }
    for (const [u, w] of [
      [4n, 5n],
      [4n, 6n],
      [5n, 5n],
    ] as const)
      expectAbort(
        failure(() => combine({ items: [item(KEY)], peers: [3] }, [checked], [{ u: scalarToBytes(u), w: scalarToBytes(w) }], zero)),
        'SIGN_INVALID',
      )
  })

  it('sign maths: partials of two parties add up to the ECDSA equation', () => {
    // Products in the clear: t + d = input * beta, split between two parties as a VOLE would.
    const digest = scalarToBytes(4242n)
    const parties = [
      { k: 11n, sk: 22n, phi: 33n },
      { k: 44n, sk: 55n, phi: 66n },
    ] as const
    const betas = [101n, 202n] as const
    const nonce = mulBase(55n)
    const partial = (i: 0 | 1) => {
      const [me, peer] = [parties[i], parties[(1 - i) as 0 | 1]]
      const product = { t: [me.k * betas[1 - i]! - 9n, me.sk * betas[1 - i]! - 8n] } as unknown as Product
      const d = [[peer.k * betas[i] - (peer.k * betas[i] - 9n), peer.sk * betas[i] - (peer.sk * betas[i] - 8n)]] as const
      return partialOf({ digest, secrets: me }, new Map([[2, product]]), {
        nonce,
        psi: new Map([[2, peer.phi - betas[1 - i]!]]),
        d: new Map([[2, d[0]]]),
      })
    }
    const [a, b] = [partial(0), partial(1)]
    const phi = 33n + 66n
    const r = nonce.toAffine().x % q
    expect(addScalars(scalarOf(a.u), scalarOf(b.u))).to.equal(mulScalars(55n, phi))
    expect(addScalars(scalarOf(a.w), scalarOf(b.w))).to.equal(mulScalars(phi, addScalars(4242n, mulScalars(r, 77n))))
  })
})
