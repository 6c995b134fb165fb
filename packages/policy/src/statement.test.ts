import { codeOf, concat, formatPath, fromHex, payloadHash, toHex, utf8 } from '@conclave/core'
import { expect } from 'chai'
import fc from 'fast-check'
import { naiveStatementBytes, naiveTagged, type PlainStatement } from './naive-statement.fixture.ts'
import { statementOf, VECTORS } from './statement.fixture.ts'
import type { Statement } from './statement.ts'
import { decodeStatement, encodeStatement, STATEMENT_BYTES_MAX, statementHash } from './statement-bytes.ts'
import { summaryHash } from './summary.ts'

const [FIRST] = VECTORS.statements
if (FIRST === undefined) throw new Error('no vectors')
const PLAIN = FIRST.statement
const STATEMENT = statementOf(PLAIN)
const BYTES = encodeStatement(STATEMENT)
const [ITEM] = STATEMENT.items
if (ITEM === undefined) throw new Error('no item')

function codeFor(run: () => unknown): string {
  try {
    run()
    return 'accepted'
  } catch (error) {
    return codeOf(error)
  }
}

const encoded = (changes: Partial<Statement>) => codeFor(() => encodeStatement({ ...STATEMENT, ...changes }))
const decoded = (bytes: Uint8Array) => codeFor(() => decodeStatement(bytes))

const hash32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex)
const name = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,62}$/)
const path = fc.array(fc.nat(0x7fffffff), { maxLength: 8 }).map(formatPath)
const anyStatement: fc.Arbitrary<PlainStatement> = fc
  .record({
    clusterId: hash32,
    requestId: hash32,
    keyId: name,
    keyEpoch: fc.nat(0xffffffff),
    payloadType: fc.constantFrom('evm.tx', 'btc.psbt', 'raw'),
    items: fc.array(
      fc.record({
        payloadHash: hash32,
        summaryHash: hash32,
        digests: fc.array(fc.record({ path, digest: hash32 }), { minLength: 1, maxLength: 4 }),
      }),
      { minLength: 1, maxLength: 8 },
    ),
    policySequence: fc.integer({ min: 1, max: 0xffffffff }),
    policyHash: hash32,
    notBeforeMs: fc.nat(2 ** 52),
    expiresAtMs: fc.integer({ min: 2 ** 52 + 1, max: Number.MAX_SAFE_INTEGER }),
    requester: name,
    nonce: hash32,
  })
  .map((s) => s as PlainStatement)

describe('statement', () => {
  for (const { name, statement, bytes, hash } of VECTORS.statements) {
    it(`statement: vector "${name}"`, () => {
      expect(toHex(encodeStatement(statementOf(statement)))).to.equal(bytes)
      expect(toHex(statementHash(statementOf(statement)))).to.equal(hash)
      expect(decodeStatement(fromHex(bytes))).to.deep.equal(statementOf(statement))
      expect(bytes.length / 2).to.be.at.most(STATEMENT_BYTES_MAX)
    })
  }

  it('statement: the hashes of payloads and summaries are those of the vectors', () => {
    for (const { payload, hash } of VECTORS.payloads) expect(toHex(payloadHash(fromHex(payload)))).to.equal(hash)
    for (const { type, lines, hash } of VECTORS.summaries)
      expect(
        toHex(
          summaryHash(
            type,
            lines.map(([label, value]) => ({ label, value })),
          ),
        ),
      ).to.equal(hash)
  })

  it('statement: any statement has the bytes and the hash that the specification written a second time gives it', () => {
    fc.assert(
      fc.property(anyStatement, (plain) => {
        const naive = naiveStatementBytes(plain)
        expect(toHex(encodeStatement(statementOf(plain)))).to.equal(naive)
        expect(toHex(statementHash(statementOf(plain)))).to.equal(naiveTagged('statement', naive))
        expect(decodeStatement(fromHex(naive))).to.deep.equal(statementOf(plain))
      }),
    )
  })

  it('statement: every field is in the hash', () => {
    const other = new Uint8Array(32).fill(99)
    const digest = { path: [0, 5], digest: other }
    const changes: readonly Partial<Statement>[] = [
      { clusterId: other },
      { requestId: other },
      { keyId: 'treasury-2' },
      { keyEpoch: 4 },
      { payloadType: 'eip712' },
      { items: [{ ...ITEM, payloadHash: other }] },
      { items: [{ ...ITEM, summaryHash: other }] },
      { items: [{ ...ITEM, digests: [digest] }] },
      { items: [{ ...ITEM, digests: [...ITEM.digests, digest] }] },
      { items: [ITEM, ITEM] },
      { policySequence: 8 },
      { policyHash: other },
      { notBeforeMs: STATEMENT.notBeforeMs + 1 },
      { expiresAtMs: STATEMENT.expiresAtMs + 2 ** 32 },
      { requester: 'platform-2' },
      { nonce: other },
    ]
    const hashes = [STATEMENT, ...changes.map((c) => ({ ...STATEMENT, ...c }))].map((s) => toHex(statementHash(s)))
    expect(new Set(hashes).size).to.equal(changes.length + 1)
  })

  it('statement: what no statement may hold is neither written nor read', () => {
    const short = new Uint8Array(31)
    const many = (n: number) => Array.from({ length: n }, () => ITEM)
    const digests = Array.from({ length: 33 }, () => ({ path: [], digest: new Uint8Array(32) }))
    const wrong: readonly Partial<Statement>[] = [
      ...[{ clusterId: short }, { requestId: short }, { policyHash: short }, { nonce: short }, { nonce: new Uint8Array(33) }],
      ...[{ keyId: '' }, { keyId: 'A' }, { keyId: 'k'.repeat(64) }, { requester: '' }, { requester: 'a b' }, { requester: 'a\n' }],
      ...[{ payloadType: '' }, { payloadType: 'EVM' }, { payloadType: 'a'.repeat(33) }],
      ...[{ keyEpoch: -1 }, { keyEpoch: 0.5 }, { keyEpoch: 2 ** 32 }, { policySequence: 0 }, { policySequence: 2 ** 32 }],
      ...[{ notBeforeMs: -1 }, { notBeforeMs: STATEMENT.expiresAtMs }, { expiresAtMs: 2 ** 53 }, { expiresAtMs: Number.NaN }],
      ...[{ items: [] }, { items: many(33) }, { items: [{ ...ITEM, digests: [] }] }, { items: [{ ...ITEM, digests }] }],
      { items: [{ ...ITEM, payloadHash: short }] },
      { items: [{ ...ITEM, summaryHash: short }] },
      { items: [{ ...ITEM, digests: [{ path: [], digest: short }] }] },
      { items: [{ ...ITEM, digests: [{ path: [2 ** 31], digest: new Uint8Array(32) }] }] },
      { items: [{ ...ITEM, digests: [{ path: [1, 2, 3, 4, 5, 6, 7, 8, 9], digest: new Uint8Array(32) }] }] },
    ]
    for (const [i, changes] of wrong.entries()) expect(encoded(changes), `case ${i}`).to.equal('BAD_STATEMENT')
    const plain: readonly Partial<PlainStatement>[] = [
      ...[{ keyId: 'A' }, { keyId: '' }, { requester: 'k'.repeat(64) }, { payloadType: 'evm tx' }, { policySequence: 0 }],
      ...[{ expiresAtMs: PLAIN.notBeforeMs }, { expiresAtMs: 2 ** 53 }, { clusterId: '00' }, { nonce: `${PLAIN.nonce}00` }, { items: [] }],
      { items: PLAIN.items.map((item) => ({ ...item, digests: [] })) },
      { items: PLAIN.items.map((item) => ({ ...item, digests: [{ path: 'm/2147483648', digest: PLAIN.nonce }] })) },
      { items: Array.from({ length: 33 }, () => ({ payloadHash: PLAIN.nonce, summaryHash: PLAIN.nonce, digests: [] })) },
    ]
    for (const [i, changes] of plain.entries())
      expect(decoded(fromHex(naiveStatementBytes({ ...PLAIN, ...changes }))), `bytes ${i}`).to.equal('BAD_STATEMENT')
  })

  it('statement: bytes that are cut, continued or of another format are refused', () => {
    for (let n = 0; n < BYTES.length; n++) expect(decoded(BYTES.subarray(0, n)), `first ${n} bytes`).to.equal('BAD_STATEMENT')
    expect(decoded(concat(BYTES, Uint8Array.of(0)))).to.equal('BAD_STATEMENT')
    expect(decoded(concat(BYTES, new Uint8Array(4)))).to.equal('BAD_STATEMENT')
    expect(decoded(new Uint8Array(STATEMENT_BYTES_MAX + 1))).to.equal('BAD_STATEMENT')
    const next = fromHex(toHex(BYTES).replace(toHex(utf8('statement/1')), toHex(utf8('statement/2'))))
    expect(decoded(next)).to.equal('BAD_STATEMENT')
  })

  it('statement: a byte that is changed is another statement or none', () => {
    for (let i = 0; i < BYTES.length; i++) {
      const changed = Uint8Array.from(BYTES)
      changed[i] = (changed[i] as number) ^ 1
      const code = decoded(changed)
      if (code === 'accepted') expect(toHex(encodeStatement(decodeStatement(changed)))).to.equal(toHex(changed))
      else expect(code).to.equal('BAD_STATEMENT')
    }
  })

  it('statement: what was decoded does not change with the bytes', () => {
    const bytes = Uint8Array.from(BYTES)
    const statement = decodeStatement(bytes)
    bytes.fill(0)
    expect(statement).to.deep.equal(STATEMENT)
  })
})
