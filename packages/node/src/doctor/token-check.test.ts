import type { HsmInspection, InspectedKey } from '@conclave/vault'
import { expect } from 'chai'
import { known, unknown } from './finding.ts'
import { codesOf, findingsOf, HEALTHY, IDENTITY, KEK, skippedIn } from './results.fixture.ts'
import { checkToken, type TokenFacts } from './token-check.ts'

const SETTINGS = { name: 'primary', token: 'conclave-a', serial: 's1', module: '/usr/lib/libhsm.so' }
const FACTS: TokenFacts = { settings: SETTINGS, holdsIdentity: true }
const [TOKEN] = HEALTHY.tokens as readonly [HsmInspection['tokens'][number]]
const tokens = (...all: readonly Partial<typeof TOKEN>[]) => known({ ...HEALTHY, tokens: all.map((t) => ({ ...TOKEN, ...t })) })
const keys = (...all: readonly InspectedKey[]) => known({ ...HEALTHY, keys: { ok: true as const, value: all } })
const codes = (inspection: Parameters<typeof checkToken>[1], facts = FACTS) => codesOf(checkToken(facts, inspection))

describe('doctor: tokens', () => {
  it('token: the right one with its keys has no finding', () => {
    expect(codes(known(HEALTHY))).to.deep.equal([])
    expect(codes(tokens({}, { label: 'other', serial: 's2' }))).to.deep.equal([])
  })

  it('token: none of that label, and those that are there are named', () => {
    const results = checkToken(FACTS, tokens({ label: 'other' }, { label: '', initialised: false }))
    expect(codesOf(results)).to.deep.equal(['TOKEN_MISSING'])
    expect(findingsOf(results)[0]?.message).to.include('present: "other"')
  })

  it('token: another serial, or several of one label without a serial in the settings', () => {
    expect(codes(tokens({ serial: 's2' }))).to.deep.equal(['TOKEN_OTHER_SERIAL'])
    const open = { ...FACTS, settings: { ...SETTINGS, serial: undefined } }
    expect(codes(tokens({}, { serial: 's2' }), open)).to.deep.equal(['TOKEN_AMBIGUOUS'])
    expect(codes(known(HEALTHY), open)).to.deep.equal(['SERIAL_NOT_SET'])
  })

  it('token: one without a user PIN', () => {
    expect(codes(tokens({ hasPin: false }))).to.deep.equal(['TOKEN_NOT_INITIALISED'])
  })

  it('keys: no KEK, several of one generation, of which one may be named, and several generations', () => {
    const second = { ...KEK, id: 'aa02' }
    expect(codes(keys(IDENTITY))).to.deep.equal(['KEK_MISSING'])
    expect(codes(keys(KEK, second, IDENTITY))).to.deep.equal(['KEK_AMBIGUOUS'])
    const named = { ...FACTS, settings: { ...SETTINGS, kek: { id: 'aa02' } } }
    expect(codes(keys(KEK, second, IDENTITY), named)).to.deep.equal([])
    expect(codes(keys(KEK, { ...second, generation: 2 }, IDENTITY))).to.deep.equal(['KEK_SEVERAL'])
    expect(codes(keys({ ...KEK, generation: 2 }, { ...second, generation: 2 }, IDENTITY))).to.deep.equal(['KEK_AMBIGUOUS'])
    expect(codes(keys(KEK, IDENTITY), named)).to.deep.equal(['KEK_MISSING'])
  })

  it('keys: no identity where it belongs, or two', () => {
    expect(codes(keys(KEK))).to.deep.equal(['IDENTITY_MISSING'])
    expect(codes(keys(KEK), { ...FACTS, holdsIdentity: false })).to.deep.equal([])
    expect(codes(keys(KEK, IDENTITY, { ...IDENTITY, id: 'bb02' }))).to.deep.equal(['IDENTITY_AMBIGUOUS'])
  })

  it('key protection: extractable, not sensitive, imported, copyable, of too many uses', () => {
    expect(codes(keys({ ...KEK, extractable: true }, IDENTITY))).to.deep.equal(['KEY_EXTRACTABLE'])
    expect(codes(keys(KEK, { ...IDENTITY, sensitive: false }))).to.deep.equal(['KEY_EXTRACTABLE'])
    expect(codes(keys({ ...KEK, local: false }, IDENTITY))).to.deep.equal(['KEY_IMPORTED'])
    expect(codes(keys({ ...KEK, neverExtractable: false }, IDENTITY))).to.deep.equal(['KEY_IMPORTED'])
    expect(codes(keys({ ...KEK, copyable: true }, IDENTITY))).to.deep.equal(['KEY_COPYABLE'])
    expect(codes(keys({ ...KEK, uses: ['wrap', 'decrypt'] }, IDENTITY))).to.deep.equal(['KEK_MANY_USES'])
  })

  it('key protection: what a token does not tell is no finding, nor is a KEK that only wraps', () => {
    const silent = { extractable: null, sensitive: null, neverExtractable: null, local: null, copyable: null, wrapWithTrusted: null }
    expect(codes(keys({ ...KEK, ...silent, uses: ['wrap', 'unwrap'] }, { ...IDENTITY, ...silent }))).to.deep.equal([])
  })

  it('extraction: a token that lets keys out', () => {
    const leaks = known({ ...HEALTHY, leaks: { ok: true as const, value: ['C_CopyObject'] } })
    expect(codes(leaks)).to.deep.equal(['TOKEN_LEAKS_KEYS'])
  })

  it('keys: what no login could show is skipped by name', () => {
    const none = { ok: false as const, code: 'NOT_TRIED', why: 'no login' }
    expect(skippedIn(checkToken(FACTS, known({ ...HEALTHY, keys: none, leaks: none })))).to.deep.equal([
      'keys (primary)',
      'key protection (primary)',
      'extraction (primary)',
    ])
    expect(skippedIn(checkToken(FACTS, unknown('why')))).to.have.length(4)
    expect(skippedIn(checkToken(FACTS, known({ ...HEALTHY, module: { ...none, code: 'TIMEOUT' } })))).to.have.length(4)
  })
})
