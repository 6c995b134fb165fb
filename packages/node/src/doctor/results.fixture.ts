import type { HsmInspection, InspectedKey } from '@conclave/vault'
import { expect } from 'chai'
import type { Checkup } from '../checkup.ts'
import type { CheckResult, Finding } from './finding.ts'

export const findingsOf = (results: readonly CheckResult[]): readonly Finding[] =>
  results.flatMap((r) => ('findings' in r ? r.findings : []))

/** The codes that came out, and whether every finding says what to do. */
export function codesOf(results: readonly CheckResult[]): readonly string[] {
  const findings = findingsOf(results)
  for (const f of findings) expect(f, f.code).to.satisfy((x: Finding) => x.fix !== '' && x.message !== '' && x.subject !== '')
  return findings.map((f) => f.code)
}

export const skippedIn = (results: readonly CheckResult[]): readonly string[] => results.flatMap((r) => ('why' in r ? [r.check] : []))

export const KEK: InspectedKey = {
  kind: 'kek',
  generation: 1,
  id: 'aa01',
  extractable: false,
  sensitive: true,
  neverExtractable: true,
  local: true,
  copyable: false,
  wrapWithTrusted: false,
  uses: ['encrypt', 'decrypt'],
}
export const IDENTITY: InspectedKey = { ...KEK, kind: 'identity', id: 'bb01', uses: ['sign'] }

const TOKEN = { label: 'conclave-a', serial: 's1', initialised: true, hasPin: true, countLow: false, finalTry: false, locked: false }

/** An HSM with which nothing is wrong. */
export const HEALTHY: HsmInspection = {
  module: { ok: true, value: { description: 'maker model', version: { major: 3, minor: 1 } } },
  tokens: [TOKEN],
  pin: {
    ok: true,
    value: { isDefault: false, isShort: false, isOneClass: false, isSoPin: undefined, fingerprint: 'f1', heldBy: [], refusal: undefined },
  },
  keys: { ok: true, value: [KEK, IDENTITY] },
  identity: { ok: true, value: { type: 'ed25519', publicKey: new Uint8Array(32).fill(7) } },
  leaks: { ok: true, value: [] },
}

/** A running node with which nothing is wrong. */
export const CHECKUP: Checkup = {
  pid: 1,
  upMs: 3_600_000,
  listen: ['/ip4/127.0.0.1/tcp/9100'],
  identity: '07'.repeat(32),
  hsms: [{ name: 'primary', missedSeals: 0, mark: 'm1', unopenable: 0 }],
  peers: ['oslo', 'lisbon'].map((name, i) => ({
    name,
    isLinkUp: true,
    downReason: null,
    word: { offsetMs: 3, roundTripMs: 2, version: '0.1.0', hsms: [`p${i}`] },
  })),
}
