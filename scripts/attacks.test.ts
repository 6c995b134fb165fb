import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { missingTests, rowsOf } from './test-table.ts'

const ATTACKS = join(import.meta.dirname, '../docs/spec/attacks.md')

describe('attacks', () => {
  const attacks = rowsOf(readFileSync(ATTACKS, 'utf8'))

  it('attacks: every test that the table names exists', () => {
    expect(missingTests(attacks)).to.deep.equal([])
  })

  it('attacks: each has a name of its own and a test that begins with it', () => {
    expect(new Set(attacks.map((a) => a.name)).size).to.equal(attacks.length)
    expect(attacks.filter(({ name, tests }) => !tests.some((t) => t.title.startsWith(`${name}:`))).map((a) => a.name)).to.deep.equal([])
  })

  it('attacks: a row is read as it is written', () => {
    const row = '| attack | by | tests |\n|---|---|---|\n| a b | 1.1; `T` | `x.ts`: "a b: one (2.1)"<br>"two, *"<br>`y.ts`: "three" |\n'
    const tests = [
      { file: 'x.ts', title: 'a b: one (2.1)' },
      { file: 'x.ts', title: 'two, *' },
      { file: 'y.ts', title: 'three' },
    ]
    expect(rowsOf(row)).to.deep.equal([{ name: 'a b', cells: ['1.1; `T`'], tests }])
  })
})
