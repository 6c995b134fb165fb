import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { concat, fromHex, type Random, tagged, taggedExpand, toHex, u32 } from '@conclave/core'
import { kernel } from '@conclave/kernel'
import { encode, OtExtension } from '@conclave/wire'
import { expect } from 'chai'
import { hashToScalar } from './arithmetic.ts'
import { bitOf, select } from './bits.ts'
import { type AliceExtension, extendAlice, extendBob } from './ot-extension.ts'
import * as naive from './testing/naive-maths.fixture.ts'
import { type BobVole, voleAlice, voleBob } from './vole.ts'

const page = readFileSync(join(import.meta.dirname, '../../../docs/spec/protocol.md'), 'utf8')

/** The value in the row of docs/spec/protocol.md, section 10, that begins with `input`. */
function vector(input: string): string {
  const row = page.split('\n').find((line) => line.startsWith(`| ${input} |`))
  return row?.match(/`([0-9a-f]+)` \|$/)?.[1] ?? `no vector for ${input}`
}

/** Draw number d of a party. */
function draws(): Random {
  let d = 0
  return { bytes: (length) => taggedExpand('vector-random', length, u32(d++)) }
}

describe('naive-vectors: the vectors of docs/spec/protocol.md', () => {
  const one = Uint8Array.of(1)

  it('hold for the hashes, in the product and in the naive code', () => {
    for (const T of [tagged, naive.T]) {
      expect(toHex(T('vector'))).to.equal(vector('`T("vector")`'))
      expect(toHex(T('vector', new Uint8Array(0)))).to.equal(vector('`T("vector", "")`'))
      expect(toHex(T('vector', one, fromHex('0203')))).to.equal(vector('`T("vector", 01, 0203)`'))
    }
    for (const expand of [taggedExpand, naive.stretch]) expect(toHex(expand('vector', 48, one))).to.equal(vector('`T*("vector", 48, 01)`'))
    const Hs = vector('`Hs("vector", 01)`')
    expect([toHex(hashToScalar('vector', one)), toHex(naive.bytesOf(naive.Hs('vector', one), 32))]).to.deep.equal([Hs, Hs])
  })

  it('hold for the product in GF(2^128)', () => {
    const [a, b] = ['000102030405060708090a0b0c0d0e0f', 'f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff']
    const expected = vector(`\`${a}\` times \`${b}\` in GF(2^128)`)
    expect(toHex(kernel.foldBlocks(fromHex(b), concat(fromHex(a), new Uint8Array(16))))).to.equal(expected)
    const [x, y] = [a, b].map((v) => naive.toPolynomial(naive.bitsOf(fromHex(v)))) as [bigint, bigint]
    expect(toHex(naive.packBits(naive.fromPolynomial(naive.timesPolynomial(x, y))))).to.equal(expected)
  })

  it('hold for one multiplication', () => {
    const seeds = [0, 1].map((b) => Array.from({ length: 128 }, (_, i) => tagged('vector-seed', u32(b), u32(i)))) as [
      Uint8Array[],
      Uint8Array[],
    ]
    const delta = tagged('vector-delta').slice(0, 16)
    const names = [tagged('vector-sid'), tagged('vector-pair')] as const
    const bob = extendBob(...names, { seeds0: concat(...seeds[0]), seeds1: concat(...seeds[1]) }, draws())
    const chosen = seeds[0].map((zero, i) => select(bitOf(delta, i), zero, seeds[1][i] as Uint8Array))
    const { nu, rows } = extendAlice(...names, { delta, seeds: concat(...chosen) }, bob.message) as AliceExtension
    const alice = voleAlice(nu, bob.message, rows, delta, draws())
    const { beta, r } = voleBob(nu, bob.message, bob, alice.message) as BobVole
    expect(toHex(tagged('ot-message', encode(OtExtension, bob.message)))).to.equal(vector('`T("ot-message", OtExtension bytes)`'))
    const { salt, maskHash, mask } = alice.message
    const voleHash = tagged('vole-message', salt, tagged('vole-rows', alice.message.rows), maskHash, mask)
    expect(toHex(voleHash)).to.equal(vector('voleHash'))
    expect([alice.alpha[0], beta, alice.t[0], r[0]].map(toHex)).to.deep.equal(['alpha_0', 'beta', 't_0', 'r_0'].map(vector))
  })
})
