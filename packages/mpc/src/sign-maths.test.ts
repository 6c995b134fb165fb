import { concat, SecretScope, utf8 } from '@conclave/core'
import type { Opening } from '@conclave/wire'
import { expect } from 'chai'
import { addScalars, mulScalars } from './arithmetic.ts'
import type { Product } from './correlation.ts'
import { equalPoints, G, mul, mulBase, O, type Point, pointFromBytes, pointToBytes, subPoints } from './points.ts'
import { type Checked, checkOpenings, combine, commitmentOf, type Item, partialOf } from './sign-maths.ts'
import { expectAbort } from './testing/claims.fixture.ts'
import { bytesOf, q, scalar, toBigint } from './testing/scalars.fixture.ts'

const sid = utf8('session')
const secrets = { k: scalar(11n), sk: scalar(22n), phi: scalar(33n) }
const bob = { beta: scalar(1234n), r: [scalar(56n), scalar(78n)] as const }
/** Two parties, ourselves being 1. Only what the openings are checked against. */
const NONE = new Uint8Array(0)
const item = (publicKey: Point): Item => ({
  ...{ id: sid, digest: new Uint8Array(32), secrets, publicKey },
  ...{ nonce: mulBase(secrets.k), key: mulBase(secrets.sk), opening: { noncePoint: NONE, keyPoint: NONE, salt: NONE } },
})
const products = new Map([[3, bob as unknown as Product]])

/** An opening of party 3 whose products hold, for any two points, without knowing their logarithms. */
function fitting(noncePoint: Point, keyPoint: Point): Opening {
  const [gammaU, gammaV] = [scalar(5n), scalar(6n)]
  const d = [addScalars(bob.r[0], mulScalars(gammaU, bob.beta)), addScalars(bob.r[1], mulScalars(gammaV, bob.beta))] as const
  return {
    noncePoint: pointToBytes(noncePoint),
    keyPoint: pointToBytes(keyPoint),
    salt: new Uint8Array(32),
    gammaU,
    gammaV,
    checkU: pointToBytes(subPoints(mul(noncePoint, bob.beta), mulBase(d[0]))),
    checkV: pointToBytes(subPoints(mul(keyPoint, bob.beta), mulBase(d[1]))),
    psi: scalar(7n),
  }
}

const KEY = mulBase(scalar(1000n))
const theirKeyPoint = subPoints(KEY, mulBase(secrets.sk))
/** Checks 5.2 to 5.6 when the sum of nonces is `nonce`. */
function check(nonce: Point) {
  const opening = fitting(subPoints(nonce, mulBase(secrets.k)), theirKeyPoint)
  const said = new Map([[3, { echo: new Uint8Array(32), openings: [opening] }]])
  const [checked] = checkOpenings(
    { items: [item(KEY)], peers: [3] },
    [products],
    said,
    new Map([[3, [commitmentOf(sid, 3, opening)]]]),
    new SecretScope(),
  )
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
const pointAt = (x: bigint) => pointFromBytes(concat(Uint8Array.of(2), bytesOf(x)))

describe('sign maths', () => {
  it('sign maths: openings that fit are accepted, with the sum of nonces and the right d', () => {
    const { nonce, psi, d } = check(mulBase(scalar(99n)))
    expect(equalPoints(nonce, mulBase(scalar(99n)))).to.equal(true)
    expect(psi.get(3)).to.deep.equal(scalar(7n))
    expect(d.get(3)).to.deep.equal([scalar(56n + 5n * 1234n), scalar(78n + 6n * 1234n)])
  })

  it('sign maths: 5.6 a sum of nonces with r = 0, which is a point with x = q, is refused and names nobody', () => {
    const degenerate = pointAt(q) as Point
    expect(toBigint(pointToBytes(degenerate).subarray(1))).to.equal(q)
    expectAbort(
      failure(() => check(degenerate)),
      'SIGN_ZERO_NONCE',
    )
    expectAbort(
      failure(() => check(subPoints(O, degenerate))),
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
    const zero = new Map([[3, { partials: [{ u: scalar(-4n), w: scalar(-5n) }] }]])
    const checked: Checked = { nonce: G, psi: new Map(), d: new Map() }
    for (const [u, w] of [
      [4n, 5n],
      [4n, 6n],
      [5n, 5n],
    ] as const)
      expectAbort(
        failure(() => combine({ items: [item(KEY)], peers: [3] }, [checked], [{ u: scalar(u), w: scalar(w) }], zero)),
        'SIGN_INVALID',
      )
  })

  it('sign maths: partials of two parties add up to the ECDSA equation', () => {
    // Products in the clear: t + d = input * beta, split between two parties as a VOLE would.
    const digest = scalar(4242n)
    const parties = [
      { k: 11n, sk: 22n, phi: 33n },
      { k: 44n, sk: 55n, phi: 66n },
    ] as const
    const betas = [101n, 202n] as const
    const nonce = mulBase(scalar(55n))
    const partial = (i: 0 | 1) => {
      const [me, peer] = [parties[i], parties[(1 - i) as 0 | 1]]
      const theirs = betas[(1 - i) as 0 | 1]
      const own = { k: scalar(me.k), sk: scalar(me.sk), phi: scalar(me.phi) }
      const product = { t: [scalar(me.k * theirs - 9n), scalar(me.sk * theirs - 8n)] } as unknown as Product
      return partialOf({ digest, secrets: own }, new Map([[2, product]]), {
        nonce,
        psi: new Map([[2, scalar(peer.phi - theirs)]]),
        d: new Map([[2, [scalar(9n), scalar(8n)]]]),
      })
    }
    const [a, b] = [partial(0), partial(1)]
    const phi = scalar(33n + 66n)
    const r = scalar(toBigint(pointToBytes(nonce).subarray(1)))
    expect(addScalars(a.u, b.u)).to.deep.equal(mulScalars(scalar(55n), phi))
    expect(addScalars(a.w, b.w)).to.deep.equal(mulScalars(phi, addScalars(scalar(4242n), mulScalars(r, scalar(77n)))))
  })
})
