import { canonicalJson, codeOf, parseCanonicalJson, tagged, toHex, utf8 } from '@conclave/core'
import { expect } from 'chai'
import { decodePayload } from './decoded-payload.ts'
import { type Drill, encodeDrill } from './drill.ts'
import { evaluate } from './evaluate.ts'
import { unsigned } from './naive-rlp.fixture.ts'
import { parsePolicy } from './policy-file.ts'

const DRILL: Drill = {
  clusterId: 'c1'.repeat(32),
  keyId: 'treasury-1',
  node: 'zurich',
  hsm: 'primary',
  atMs: Date.UTC(2026, 10, 21, 8, 30),
}

function refused(bytes: Uint8Array): string {
  try {
    decodePayload('drill', bytes)
    return 'decoded'
  } catch (error) {
    return codeOf(error)
  }
}

const policyOf = (when: string) => parsePolicy(`version: 1\nsequence: 1\nrules:\n  - { name: r, effect: allow, when: ${when} }\n`)
const verdict = (when: string, drill = DRILL, keyId = drill.keyId): string =>
  evaluate(policyOf(when), { keyId, path: [], payload: decodePayload('drill', encodeDrill(drill)) }).code

describe('drill payload', () => {
  it('drill: is decoded to what was encoded, and shown', () => {
    const decoded = decodePayload('drill', encodeDrill(DRILL))
    expect(decoded).to.deep.include(DRILL)
    const shown = decoded.summary.map(({ value }) => value)
    for (const value of [DRILL.clusterId, DRILL.keyId, DRILL.node, DRILL.hsm, '2026-11-21T08:30:00.000Z']) expect(shown).to.include(value)
  })

  it('drill: what is signed is a hash in a domain of its own, over every field', () => {
    const { digests, digest } = decodePayload('drill', encodeDrill(DRILL))
    const at = new Uint8Array(8)
    new DataView(at.buffer).setBigUint64(0, BigInt(DRILL.atMs))
    const parts = [new Uint8Array(32).fill(0xc1), utf8(DRILL.keyId), utf8(DRILL.node), utf8(DRILL.hsm), at]
    expect(toHex(digest)).to.equal(toHex(tagged('hsm-drill', ...parts)))
    expect(digests).to.deep.equal([{ digest, path: undefined }])
    const others: Partial<Drill>[] = [
      { clusterId: 'c2'.repeat(32) },
      { keyId: 'x' },
      { node: 'oslo' },
      { hsm: 'backup' },
      { atMs: DRILL.atMs + 1 },
    ]
    const digestsOfOthers = others.map((other) => toHex(decodePayload('drill', encodeDrill({ ...DRILL, ...other })).digest))
    expect(new Set([toHex(digest), ...digestsOfOthers]).size).to.equal(1 + others.length)
  })

  it('drill: bytes that are written in another way, or are none, are refused', () => {
    const good = encodeDrill(DRILL)
    const value = parseCanonicalJson(good) as Record<string, string>
    const withField = (change: object) => utf8(canonicalJson({ ...value, ...change }))
    const { at: _, ...timeless } = value
    const bad = [
      new Uint8Array(0),
      utf8('null'),
      utf8('[]'),
      utf8(` ${new TextDecoder().decode(good)}`),
      utf8(JSON.stringify({ format: value.format, ...value })),
      utf8(canonicalJson(timeless)),
      ...[{ at: '2026-11-21' }, { at: 'never' }, { at: 1 }, { node: 'Zurich' }, { node: '' }, { hsm: 'x'.repeat(33) }].map(withField),
      ...[{ keyId: '../x' }, { clusterId: 'C1'.repeat(32) }, { format: 'conclave-drill/2' }, { more: 'x' }].map(withField),
      withField({ keyId: 'k'.repeat(600) }),
    ]
    for (const [i, bytes] of bad.entries()) expect(refused(bytes), `case ${i}`).to.equal('PAYLOAD_UNDECODABLE')
    expect(refused(good)).to.equal('decoded')
  })

  it('drill: only a rule for drills allows one, and only of the key that it names', () => {
    expect(verdict('{ payload: drill }')).to.equal('ALLOWED')
    expect(verdict('{ payload: drill, keys: [treasury-1], paths: [m] }')).to.equal('ALLOWED')
    expect(verdict('{ payload: drill, keys: [treasury-2] }')).to.equal('KEY_NOT_ALLOWED')
    expect(verdict('{ payload: drill }', DRILL, 'treasury-2')).to.equal('KEY_NOT_ALLOWED')
    expect(verdict('{ payload: raw }')).to.equal('PAYLOAD_NOT_ALLOWED')
    const payments = '{ chains: [31337], destinations: ["0x70997970C51812dc3A010C7d01b50e0d17dc79C8"], amountMaxWei: "9", data: any }'
    expect(verdict(payments)).to.equal('PAYLOAD_NOT_ALLOWED')
    const transaction = decodePayload('evm.tx', unsigned())
    expect(evaluate(policyOf('{ payload: drill }'), { keyId: 'treasury-1', path: [], payload: transaction }).allowed).to.equal(false)
  })

  it('drill: a rule for drills bounds nothing, and may not seem to', () => {
    for (const condition of ['chains: [1]', 'amountMaxWei: "1"', 'data: any'])
      expect(() => policyOf(`{ payload: drill, ${condition} }`)).to.throw(/is not a condition of payload drill/)
  })

  it('drill: a deny rule for the key, for drills or for everything stops it', () => {
    const payload = decodePayload('drill', encodeDrill(DRILL))
    for (const when of ['{}', '{ payload: drill }', '{ keys: [treasury-1] }']) {
      const rules = `  - { name: a, effect: allow, when: { payload: drill } }\n  - { name: d, effect: deny, when: ${when} }\n`
      const policy = parsePolicy(`version: 1\nsequence: 1\nrules:\n${rules}`)
      expect(evaluate(policy, { keyId: DRILL.keyId, path: [], payload }).code).to.equal('POLICY_DENY_RULE')
    }
  })
})
