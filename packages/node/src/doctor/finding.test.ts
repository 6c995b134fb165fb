import { expect } from 'chai'
import { both, check, exitCodeOf, finding, known, reportOf, unknown } from './finding.ts'

const critical = finding('PIN_DEFAULT', 'a', 'message', 'fix')
const warning = finding('ONE_HSM', 'b', 'message', 'fix')
const info = finding('RUNS_AS_ROOT', 'c', 'message', 'fix')
const report = (...findings: readonly (typeof critical)[]) => reportOf([{ check: 'x', findings }])

describe('doctor: report', () => {
  it('report: the worst comes first, and the same comes once', () => {
    expect(report(info, warning, critical, warning).findings.map((f) => f.severity)).to.deep.equal(['critical', 'warning', 'info'])
  })

  it('report: exit code 0 up to infos, 1 with a warning, 2 with something critical', () => {
    expect([report(), report(info), report(info, warning), report(warning, critical)].map(exitCodeOf)).to.deep.equal([0, 0, 1, 2])
  })

  it('report: a check that could not run is there by name, with why', () => {
    const results = [check('ran', known(1), () => [undefined]), check('did not', unknown('stopped'), () => [critical])]
    expect(reportOf(results)).to.deep.equal({ findings: [], checked: ['ran'], skipped: [{ check: 'did not', why: 'stopped' }] })
    expect(both(known(1), unknown('b'))).to.deep.equal(unknown('b'))
    expect(both(unknown('a'), known(1))).to.deep.equal(unknown('a'))
    expect(both(known(1), known(2))).to.deep.equal(known([1, 2]))
  })

  it('finding: what peers and modules have a say in stays one short line', () => {
    const found = finding('PEER_VERSION', 'os\nlo', `a\u001b[31mb\u202e${'x'.repeat(1_000)}`, 'fix')
    expect(found.subject).to.equal('os lo')
    expect(found.message).to.match(/^a \[31mb x+\.\.\.$/)
    expect(found.message.length).to.be.below(420)
  })
})
