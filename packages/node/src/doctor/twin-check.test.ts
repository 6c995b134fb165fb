import { expect } from 'chai'
import { known, unknown } from './finding.ts'
import { CHECKUP, codesOf, findingsOf, HEALTHY, skippedIn } from './results.fixture.ts'
import { checkTwins, type NamedToken, withSerial } from './twin-check.ts'

const A: NamedToken = { hsm: 'primary', module: '/m', token: 't', serial: 's1', conf: undefined }
const B: NamedToken = { hsm: 'backup', module: '/m', token: 'u', serial: 's2', conf: undefined }
const run = (own: readonly NamedToken[], others: readonly NamedToken[], running: Parameters<typeof checkTwins>[2] = known(CHECKUP)) =>
  checkTwins(known(own), known([{ dir: '/other', tokens: others }]), running)

describe('doctor: two nodes on one token', () => {
  it('twins: tokens of their own are no finding, nor are equal serials of other tokens', () => {
    expect(codesOf(run([A, B], [{ ...A, serial: 's9' }]))).to.deep.equal([])
    expect(codesOf(run([A], [{ ...A, token: 'v' }]))).to.deep.equal([])
  })

  it('twins: a node beside this one on the same token, and its directory is named', () => {
    const results = run([A], [A])
    expect(codesOf(results)).to.deep.equal(['TOKEN_SHARED'])
    expect(findingsOf(results)[0]?.message).to.include('/other')
  })

  it('twins: without serials, one label of one module and one configuration is one token', () => {
    const bare = { ...A, serial: undefined }
    expect(codesOf(run([bare], [bare]))).to.deep.equal(['TOKEN_SHARED'])
    expect(codesOf(run([bare], [A]))).to.deep.equal(['TOKEN_SHARED'])
    expect(codesOf(run([bare], [{ ...bare, conf: '/c' }]))).to.deep.equal([])
  })

  it('twins: a serial of zeros, which NSS and TPM give to all, tells nothing', () => {
    const zeros = { ...A, serial: '0000000000000000', conf: '/c' }
    expect(codesOf(run([zeros], [{ ...zeros, conf: '/d' }]))).to.deep.equal([])
    expect(codesOf(run([zeros], [zeros]))).to.deep.equal(['TOKEN_SHARED'])
  })

  it('twins: two HSMs of one node that are one token', () => {
    expect(codesOf(run([A, { ...A, hsm: 'backup' }], []))).to.deep.equal(['HSMS_SHARE_TOKEN'])
  })

  it('twins: a peer that announces the same mark', () => {
    const [oslo, lisbon] = CHECKUP.peers
    const word = { offsetMs: 0, roundTripMs: 1, version: '0.1.0', hsms: ['m1'] }
    const shared = {
      ...CHECKUP,
      peers: [{ ...oslo, name: 'oslo', isLinkUp: true, downReason: null, word }, ...(lisbon === undefined ? [] : [lisbon])],
    }
    expect(codesOf(run([A], [], known(shared)))).to.deep.equal(['PEER_SHARES_TOKEN'])
    const silent = { ...shared, peers: [null, 'CALL_TIMEOUT'].map((w) => ({ name: 'oslo', isLinkUp: true, downReason: null, word: w })) }
    expect(codesOf(run([A], [], known(silent)))).to.deep.equal([])
    const unmarked = { ...shared, hsms: [{ name: 'primary', missedSeals: 0, mark: null, unopenable: null }] }
    expect(skippedIn(run([A], [], known(unmarked)))).to.deep.equal(["the peers' tokens"])
  })

  it('twins: a serial that the settings do not name is taken from the token', () => {
    const named = { ...A, token: 'conclave-a', serial: undefined }
    expect(withSerial(named, known(HEALTHY)).serial).to.equal('s1')
    expect(withSerial(named, known({ ...HEALTHY, tokens: [...HEALTHY.tokens, ...HEALTHY.tokens] })).serial).to.equal(undefined)
    expect(withSerial({ ...named, serial: 's9' }, known(HEALTHY)).serial).to.equal('s9')
    expect(withSerial(named, unknown('why')).serial).to.equal(undefined)
  })

  it('twins: what was not gathered is skipped by name', () => {
    const why = unknown('why')
    expect(skippedIn(checkTwins(why, why, why))).to.have.length(3)
  })
})
