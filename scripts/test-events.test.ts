import { expect } from 'chai'
import { parseEvents, summaryOf, type TestEvent, tallyOf } from './test-events.ts'

const END: TestEvent = { kind: 'end' }
const pass: TestEvent = { kind: 'pass', title: 'a' }
const fail: TestEvent = { kind: 'fail', title: 'b' }
const skip: TestEvent = { kind: 'skip', title: 'c' }
const ended = (status: number) => ({ status, signal: null })

describe('test summary', () => {
  it('counts what passed, failed and was skipped', () => {
    const tally = tallyOf([pass, pass, fail, skip, END], ended(1), false)
    expect(tally).to.deep.equal({ passed: 2, failed: ['b'], skipped: ['c'] })
    expect(summaryOf(tally)).to.equal('2 passed, 1 failed, 1 skipped')
  })

  it('says of each failure why, below its title', () => {
    const why = tallyOf([{ ...fail, why: 'Error: x\nat y' }, END], ended(1), false)
    expect(why.failed).to.deep.equal(['b\n    Error: x\n    at y'])
  })

  it('does not mention skipped tests when there are none', () => {
    expect(summaryOf(tallyOf([pass, END], ended(0), false))).to.equal('1 passed, 0 failed')
  })

  it('a run that stops before its end is a failure, and what had passed still counts', () => {
    const tally = tallyOf([pass], { status: null, signal: 'SIGSEGV' }, false)
    expect(tally).to.deep.equal({ passed: 1, failed: ['mocha: it ended before its tests did (SIGSEGV)'], skipped: [] })
    expect(tallyOf([], ended(0), false).failed).to.have.length(1)
  })

  it('a run without a single test is a failure', () => {
    expect(tallyOf([END], ended(0), false).failed).to.deep.equal(['mocha: no test was found'])
  })

  it('a bad exit without a failed test is a failure', () => {
    expect(tallyOf([pass, END], ended(7), false).failed).to.deep.equal(['mocha: no test failed, but exit code 7'])
  })

  it('a run that had to be killed after its end is a failure', () => {
    expect(tallyOf([pass, END], { status: null, signal: 'SIGKILL' }, true).failed).to.have.length(1)
  })

  it('an event line that a crash cut off is dropped', () => {
    expect(parseEvents(`${JSON.stringify(pass)}\n{"kind":"pa`)).to.deep.equal([pass])
    expect(parseEvents('')).to.deep.equal([])
  })
})
