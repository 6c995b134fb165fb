import { expect } from 'chai'
import type { AdminStatus } from '../admin.ts'
import { known, unknown } from './finding.ts'
import { checkRedundancy, type RedundancyFacts } from './redundancy-check.ts'
import { CHECKUP, codesOf, findingsOf, skippedIn } from './results.fixture.ts'

const hsm = (name: string, ok: boolean) => ({ name, ok, code: ok ? null : 'TOKEN_LOST' })
const status = (change: object) =>
  known({ hsm: [hsm('primary', true), hsm('backup', true)], keys: [], ...change } as unknown as AdminStatus)
const FACTS: RedundancyFacts = {
  dir: '/n',
  hsmCount: known(2),
  custodians: known(3),
  storeKey: known({
    file: '/n/store.key',
    sealedTo: ['s1', 's2'],
    hsms: [
      { name: 'primary', serial: 's1' },
      { name: 'backup', serial: 's2' },
    ],
  }),
  hsms: known(CHECKUP.hsms),
  status: status({}),
}
const codes = (change: Partial<RedundancyFacts>) => codesOf(checkRedundancy({ ...FACTS, ...change }))

describe('doctor: redundancy', () => {
  it('redundancy: two HSMs that open everything, and no key yet, are no finding', () => {
    expect(codes({})).to.deep.equal([])
  })

  it('redundancy: one HSM only', () => {
    expect(codes({ hsmCount: known(1) })).to.deep.equal(['ONE_HSM'])
  })

  it('redundancy: one HSM down, all down', () => {
    expect(codes({ status: status({ hsm: [hsm('primary', false), hsm('backup', true)] }) })).to.deep.equal(['HSM_DOWN'])
    expect(codes({ status: status({ hsm: [hsm('primary', false), hsm('backup', false)] }) })).to.deep.equal(['HSMS_DOWN', 'HSMS_DOWN'])
  })

  it('redundancy: a backup HSM that cannot open the key of the store, or records', () => {
    const storeKey = known({
      file: '/n/store.key',
      sealedTo: ['s1'],
      hsms: [
        { name: 'primary', serial: 's1' },
        { name: 'backup', serial: 's2' },
      ],
    })
    const results = checkRedundancy({ ...FACTS, storeKey })
    expect(findingsOf(results).map((f) => [f.code, f.subject])).to.deep.equal([['SEALS_MISSING', 'backup']])
    expect(codes({ hsms: known([{ name: 'backup', missedSeals: 0, mark: 'm', unopenable: 3 }]) })).to.deep.equal(['SEALS_MISSING'])
    expect(codes({ hsms: known([{ name: 'backup', missedSeals: 2, mark: null, unopenable: null }]) })).to.deep.equal(['SEALS_MISSING'])
  })

  it('backup: settings that name no custodians', () => {
    expect(codes({ custodians: known(0) })).to.deep.equal(['BACKUP_NOT_SET'])
  })

  it('backup: a present epoch that no backup holds; a stale share needs none', () => {
    const key = (change: object) =>
      codes({ status: status({ keys: [{ keyId: 'main', epoch: 3, state: 'active', lastBackup: null, ...change }] }) })
    expect(key({})).to.deep.equal(['BACKUP_MISSING'])
    expect(key({ lastBackup: { epoch: 2, at: 'x' } })).to.deep.equal(['BACKUP_MISSING'])
    expect(key({ lastBackup: { epoch: 3, at: 'x' } })).to.deep.equal([])
    expect(key({ state: 'stale' })).to.deep.equal([])
  })

  it('redundancy: of a stopped node what needs it is skipped by name', () => {
    const none = unknown('stopped')
    expect(skippedIn(checkRedundancy({ ...FACTS, hsms: none, status: none }))).to.deep.equal([
      'HSM health',
      'seals of the records',
      'backups',
    ])
  })
})
