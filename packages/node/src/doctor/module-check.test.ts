import { expect } from 'chai'
import { known, unknown } from './finding.ts'
import { checkModule, type ModuleFacts } from './module-check.ts'
import { codesOf, HEALTHY, skippedIn } from './results.fixture.ts'

const FACTS: ModuleFacts = {
  hsm: 'primary',
  path: '/usr/lib/libhsm.so',
  file: { path: '/usr/lib/libhsm.so', mode: 0o644, uid: 0 },
  machine: 'x64',
  ownMachine: 'x64',
  softHsm: undefined,
}
const SOFT = { conf: '/n/softhsm2.conf', confReadable: true, tokenDir: '/n/tokens', tokenDirThere: true, version: '2.6.1' }
const failed = (code: string) => known({ ...HEALTHY, module: { ok: false as const, code, why: 'why' } })

describe('doctor: modules', () => {
  it('module: one that is there and works has no finding', () => {
    expect(codesOf(checkModule(FACTS, known(HEALTHY)))).to.deep.equal([])
  })

  it('module: missing, for another machine, writable by others', () => {
    expect(codesOf(checkModule({ ...FACTS, file: undefined }, failed('MODULE_MISSING')))).to.deep.equal(['MODULE_MISSING'])
    expect(codesOf(checkModule({ ...FACTS, machine: 'arm64' }, known(HEALTHY)))).to.deep.equal(['MODULE_ARCHITECTURE'])
    const writable = { path: FACTS.path, mode: 0o666, uid: 0 }
    expect(codesOf(checkModule({ ...FACTS, file: writable }, known(HEALTHY)))).to.deep.equal(['FILE_WRITABLE'])
  })

  it('module: one that does not load, crashes or hangs is told apart', () => {
    expect(codesOf(checkModule(FACTS, failed('MODULE_MISSING')))).to.deep.equal(['MODULE_NOT_LOADABLE'])
    expect(codesOf(checkModule(FACTS, failed('AGENT_DIED')))).to.deep.equal(['MODULE_CRASHED'])
    expect(codesOf(checkModule(FACTS, failed('TIMEOUT')))).to.deep.equal(['MODULE_HANGS'])
    expect(skippedIn(checkModule(FACTS, unknown('no')))).to.deep.equal(['module (primary)'])
  })

  it('softhsm: a sound configuration is only the information that it is SoftHSM', () => {
    for (const version of ['2.6.1', '2.7.0', '3.0.0', undefined])
      expect(codesOf(checkModule({ ...FACTS, softHsm: { ...SOFT, version } }, known(HEALTHY)))).to.deep.equal(['SOFTHSM_IN_USE'])
  })

  it('softhsm: no configuration, an unreadable one, one without tokens, a token directory that is gone', () => {
    for (const change of [{ conf: undefined }, { confReadable: false }, { tokenDir: undefined }, { tokenDirThere: false }])
      expect(codesOf(checkModule({ ...FACTS, softHsm: { ...SOFT, ...change } }, known(HEALTHY)))).to.deep.equal([
        'SOFTHSM_CONFIG',
        'SOFTHSM_IN_USE',
      ])
  })

  it('softhsm: versions before 2.6.1 are old', () => {
    for (const version of ['2.6.0', '2.5.9', '1.9.9'])
      expect(codesOf(checkModule({ ...FACTS, softHsm: { ...SOFT, version } }, known(HEALTHY)))).to.include('SOFTHSM_OLD')
  })
})
