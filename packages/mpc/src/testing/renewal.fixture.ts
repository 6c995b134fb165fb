import { equalBytes, type PartyId } from '@conclave/core'
import { expect } from 'chai'
import { addScalars, mulScalars, type Scalar, scalarFromBytes } from '../arithmetic.ts'
import type { DealContext } from '../deal-context.ts'
import { checkKeyPublic, isCertified, type KeyPublic, type KeyShare, publicShareOf } from '../key.ts'
import { mulBase, mulPublic, type Point, pointFromBytes, pointToBytes, sumPoints } from '../points.ts'
import { lagrange, type Polynomial, randomPolynomial } from '../polynomial.ts'
import { of } from '../protocol.ts'
import { type DealRun, type DealSpec, identities } from './cluster.ts'
import { scalar } from './scalars.fixture.ts'

/** Shares of one key and epoch, by party. */
export type Shares = ReadonlyMap<PartyId, KeyShare>

export const publicOf = (shares: Shares): KeyPublic => ([...shares.values()][0] as KeyShare).public
export const scalarOf = (share: KeyShare | undefined): Scalar => scalarFromBytes((share as KeyShare).secret.bytes) as Scalar

/** New shares for the same parties. */
export function refreshOf(shares: Shares): DealSpec {
  const previous = publicOf(shares)
  const { parties, threshold, epoch } = previous
  return { parties, threshold, epoch: epoch + 1, dealingOf: (j) => ({ kind: 'refresh', previous, share: of(shares, j) }) }
}

/** New shares for `parties`, out of those of `dealers`. */
export function reshareOf(shares: Shares, dealers: readonly PartyId[], parties: readonly PartyId[], threshold: number): DealSpec {
  const previous = publicOf(shares)
  const dealingOf = (j: PartyId) =>
    ({ kind: 'reshare', previous, dealers, share: dealers.includes(j) ? of(shares, j) : undefined }) as const
  return { parties, threshold, epoch: previous.epoch + 1, dealingOf }
}

/** What an honest dealer deals, as section 9 words it: constant term first, of `length` coefficients. */
export function honestPolynomial({ self, dealing, threshold, random }: DealContext, length = threshold): Polynomial {
  const tail = randomPolynomial(length - 1, random)
  if (dealing.kind !== 'reshare') return [scalar(0n), ...tail]
  return dealing.share === undefined ? [] : [mulScalars(lagrange(self, dealing.dealers), scalarOf(dealing.share)), ...tail]
}

export function subsets(list: readonly number[], size: number): readonly (readonly number[])[] {
  if (size === 0) return [[]]
  return list.flatMap((first, i) => subsets(list.slice(i + 1), size - 1).map((rest) => [first, ...rest]))
}

/** sum lambda_j x_j: the secret key exactly when the shares are enough and of one epoch. In a test only. */
export const combined = (shares: readonly (readonly [PartyId, KeyShare | undefined])[]): Uint8Array => {
  const parties = shares.map(([j]) => j)
  return pointToBytes(mulBase(shares.reduce((sum, [j, s]) => addScalars(sum, mulScalars(lagrange(j, parties), scalarOf(s))), scalar(0n))))
}

/** sum lambda_j X_j over `quorum`. */
export const combinedInExponent = (key: KeyPublic, quorum: readonly PartyId[]): Uint8Array =>
  pointToBytes(sumPoints(quorum.map((j) => mulPublic(pointFromBytes(publicShareOf(key, j)) as Point, lagrange(j, quorum)))))

/** The run ended well: same key and chain code, new shares, all of them certified and on one polynomial of the right degree. */
export function expectRenewed(run: DealRun, spec: DealSpec, before: KeyPublic): KeyPublic {
  expect([...run.errors.values()].map(String)).to.deep.equal([])
  const { parties, threshold } = spec
  const key = publicOf(run.shares)
  expect([...run.shares.keys()].sort()).to.deep.equal(parties)
  expect([key.publicKey, key.chainCode, key.keyId]).to.deep.equal([before.publicKey, before.chainCode, before.keyId])
  expect([key.parties, key.threshold, key.epoch, key.previousEpoch]).to.deep.equal([parties, threshold, before.epoch + 1, before.epoch])
  expect(checkKeyPublic(key)).to.equal(key)
  for (const [, { public: described, attestations }] of run.results) {
    expect(described).to.deep.equal(key)
    expect(attestations.map((a) => a.party)).to.deep.equal(parties)
    expect(isCertified(described, attestations, identities(parties))).to.equal(true)
  }
  for (const j of parties) {
    const share = of(run.shares, j)
    expect(share.public).to.deep.equal(key)
    expect(pointToBytes(mulBase(scalarOf(share)))).to.deep.equal(publicShareOf(key, j))
    if (before.parties.includes(j)) expect(equalBytes(publicShareOf(key, j), publicShareOf(before, j)), `share of ${j}`).to.equal(false)
  }
  for (const quorum of subsets(parties, threshold).slice(0, 10)) expect(combinedInExponent(key, quorum)).to.deep.equal(key.publicKey)
  for (const few of subsets(parties, threshold - 1).slice(0, 6)) expect(combinedInExponent(key, few)).not.to.deep.equal(key.publicKey)
  return key
}
