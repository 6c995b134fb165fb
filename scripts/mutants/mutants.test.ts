import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { TestEvent } from '../test-events.ts'
import { MUTANTS } from './mutants.ts'
import { judge, mutated } from './run.ts'

const ROOT = join(import.meta.dirname, '../..')

describe('mutants', () => {
  for (const mutant of MUTANTS)
    it(`mutants: ${mutant.check} ${mutant.name}: the check stands in ${mutant.file} once, and its tests exist`, () => {
      const source = readFileSync(join(ROOT, mutant.file), 'utf8')
      expect(mutated(source, mutant)).to.not.equal(source)
      expect(mutant.tests.filter((file) => !existsSync(join(ROOT, file)))).to.deep.equal([])
    })

  it('mutants: each has a name of its own, and the numbered checks of signing are all among them', () => {
    const names = MUTANTS.map((m) => `${m.check} ${m.name}`)
    expect(new Set(names).size).to.equal(names.length)
    const checks = new Set(MUTANTS.map((m) => m.check))
    for (const check of ['3.0', '3.1', '4.1', '5.1', '5.2', '5.3', '5.4', '5.5', '5.6', '5.7']) expect(checks).to.include(check)
  })

  it('mutants: a text that is missing or there twice is refused', () => {
    const mutant = { name: '', check: '', file: 'f', text: 'if (x)', replacement: '', tests: [] }
    expect(mutated('a if (x) b', mutant)).to.equal('a  b')
    for (const source of ['a', 'if (x) if (x)']) expect(() => mutated(source, mutant)).to.throw(RangeError)
  })

  it('mutants: red needs a test that ran and failed; what did not load is broken', () => {
    const end: TestEvent = { kind: 'end' }
    const passed: TestEvent = { kind: 'pass', title: 'a' }
    const failed: TestEvent = { kind: 'fail', title: 'b' }
    expect(judge([passed, failed, end])).to.deep.equal({ state: 'red', detail: 'b' })
    expect(judge([passed, end]).state).to.equal('green')
    for (const events of [[], [end], [passed], [{ kind: 'skip', title: 'c' } as const, end]]) expect(judge(events).state).to.equal('broken')
  })
})
