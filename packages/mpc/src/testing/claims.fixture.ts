import type { ConclaveError, PartyId } from '@conclave/core'
import { ProtocolAbort } from '@conclave/core'
import { expect } from 'chai'
import { ABORTS, type AbortCode, burnsPairs } from '../abort.ts'
import type { Session } from '../session.ts'
import type { Outcome } from './run.ts'

/** Section 6, written out a second time: the checks whose failure can leak bits of an OT secret. */
export const BURNING: readonly string[] = ['OT_CHECK', 'VOLE_CHECK', 'SIGN_NONCE_PRODUCT', 'SIGN_KEY_PRODUCT']

/** The error is the abort of exactly this check, naming exactly these parties. */
export function expectAbort(error: ConclaveError | undefined, code: AbortCode, culprits: readonly PartyId[] = []): void {
  expect(error?.code).to.equal(code)
  expect(error).to.be.instanceOf(ProtocolAbort)
  const abort = error as ProtocolAbort
  expect(abort.check).to.equal(ABORTS[code].check)
  expect(abort.culprits).to.deep.equal(culprits)
}

/** Every party of `honest` stopped with this abort and has no result. */
export function expectAborts(
  outcome: Outcome<unknown>,
  honest: readonly PartyId[],
  code: AbortCode,
  culprits: readonly PartyId[] = [],
): void {
  for (const j of honest) {
    expectAbort(outcome.errors.get(j), code, culprits)
    expect(outcome.results.has(j)).to.equal(false)
    expect(outcome.sessions.get(j)?.state).to.equal('aborted')
  }
}

/** None of these parties has a result; whoever is named sent something wrong, and burning needs one of the four checks. */
export function expectNoOutput(outcome: Outcome<unknown>, honest: readonly PartyId[], deviants: readonly PartyId[]): void {
  for (const j of honest) {
    expect(outcome.results.has(j), `party ${j} has a result`).to.equal(false)
    const error = outcome.errors.get(j)
    if (error === undefined) continue
    expect(error).to.be.instanceOf(ProtocolAbort)
    for (const c of (error as ProtocolAbort).culprits) expect(deviants).to.include(c)
  }
}

/** Only party 3 may be named, nothing internal comes up, and whoever has finished has a result or a typed error. */
export function expectSane(outcome: Outcome<unknown>): void {
  for (const [j, session] of outcome.sessions as ReadonlyMap<number, Session<unknown>>) {
    expect(session.state).to.be.oneOf(['running', 'attesting', 'taking', 'done', 'aborted'])
    expect(session.state === 'aborted').to.equal(session.error !== undefined)
    if (session.state === 'done') expect(session.result).not.to.equal(undefined)
    const { error } = session
    if (error === undefined || j === 3) continue
    expect(error, String(error.cause)).to.be.instanceOf(ProtocolAbort)
    expect(ABORTS).to.have.property(error.code)
    expect((error as ProtocolAbort).culprits.every((c) => c === 3)).to.equal(true)
    if (burnsPairs(error.code)) expect(BURNING).to.include(error.code)
  }
}
