import { readFileSync } from 'node:fs'
import binaryen from 'assemblyscript/binaryen'
import { expect } from 'chai'
import { SecretFlow } from './constant-time.fixture.ts'

/** Exports that see secrets. */
const SECRET: readonly string[] = [
  ...['addScalars', 'areCanonical', 'invertScalar', 'mulScalars', 'reduceWide', 'subScalars'],
  ...['addSelected', 'combineColumns', 'maskedDifferences', 'subSelected', 'sumColumns', 'sumSelected'],
  ...['expandSeeds', 'foldBlocks', 'hashIndices', 'hashRows', 'prepareHash', 'reduceDigests', 'transpose'],
  ...['fieldToBytes', 'fieldInvert', 'fieldSettle', 'fieldMultiply', 'fieldSquare', 'fieldMultiplySubtract', 'fieldMultiplySums'],
  ...['pointAdd', 'pointCompress', 'pointEqual', 'pointIsIdentity', 'pointMakeTable', 'pointMultiply', 'pointMultiplyBase'],
  ...['pointMultiplyTable', 'pointStart', 'pointSubtract', 'pointTable', 'pointTableBytes'],
]
/** Exports that see none: their time may depend on what they are given. */
const PUBLIC = ['heapBase', 'pointCombine', 'pointDecompress']

const flow = new SecretFlow(readFileSync(new URL('../build/kernel.wasm', import.meta.url)))

/** The leaks of one function, `f`, whose first argument is an address. */
function leaksOf(body: string): readonly string[] {
  const text = `(module (memory 1) (func $g (param i32) (result i32) (local.get 0))
    (func $f (export "f") (param i32) (local i32 i32) ${body}))`
  const module = binaryen.parseText(text)
  return new SecretFlow(module.emitBinary()).leaksOf(['f']).map(({ what }) => what)
}
const SECRET_VALUE = '(i32.load (local.get 0))'

describe('constant time', () => {
  it('compiled kernel: every export is either held to constant time or named as public', () => {
    expect([...flow.exports].sort()).to.deep.equal([...SECRET, ...PUBLIC].sort())
  })

  for (const name of SECRET) {
    it(`compiled kernel: ${name} has no branch, select, address, length or division that depends on a secret`, () => {
      expect(flow.leaksOf([name])).to.deep.equal([])
    })
  }

  it('analysis: the functions that need no constant time are found out', () => {
    const found = flow.leaksOf(['pointCombine']).map(({ what }) => what)
    expect(found).to.include('branch').and.to.include('address')
  })

  for (const [title, body, found] of [
    ['a branch on a loaded value', `(if ${SECRET_VALUE} (then (return)))`, 'branch'],
    ['a conditional break on one', `(block $b (br_if $b ${SECRET_VALUE}))`, 'branch'],
    ['a break table on one', `(block $b (br_table $b $b ${SECRET_VALUE}))`, 'branch'],
    ['a select by one', `(drop (select (i32.const 1) (i32.const 2) ${SECRET_VALUE}))`, 'select'],
    ['a load from a secret address', `(drop (i32.load ${SECRET_VALUE}))`, 'address'],
    ['a store to one', `(i32.store ${SECRET_VALUE} (i32.const 0))`, 'address'],
    ['a copy from one', `(memory.copy (local.get 0) ${SECRET_VALUE} (i32.const 4))`, 'address'],
    ['a fill of secret length', `(memory.fill (local.get 0) (i32.const 0) ${SECRET_VALUE})`, 'length'],
    ['a division of one', `(drop (i32.div_u ${SECRET_VALUE} (i32.const 3)))`, 'division'],
    [
      'a branch on what was computed from one',
      `(local.set 1 (i32.add (i32.const 1) ${SECRET_VALUE})) (if (local.get 1) (then (return)))`,
      'branch',
    ],
    ['a branch on what another function passed through', `(if (call $g ${SECRET_VALUE}) (then (return)))`, 'branch'],
    [
      'a branch on what the round before has left',
      `(loop $l (if (local.get 1) (then (return))) (local.set 1 (local.get 2)) (local.set 2 ${SECRET_VALUE}) (br_if $l (local.get 0)))`,
      'branch',
    ],
  ] as const) {
    it(`analysis: ${title} is found`, () => {
      expect(leaksOf(body)).to.include(found)
    })
  }

  it('analysis: a loop on a counter over secret words is fine', () => {
    const body = `(loop $l (local.set 2 (i32.xor (local.get 2) (i32.load (i32.add (local.get 0) (local.get 1)))))
      (br_if $l (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 4))) (i32.const 64))))
      (i32.store (local.get 0) (local.get 2))`
    expect(leaksOf(body)).to.deep.equal([])
  })
})
