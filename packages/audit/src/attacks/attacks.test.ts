import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { FILE_ATTACKS } from './attacks.fixture.ts'
import { Lab } from './lab.fixture.ts'
import { PROOF_ATTACKS } from './proof-attacks.fixture.ts'

const TABLE = join(import.meta.dirname, '../../../../docs/spec/audit-attacks.md')

describe('attacks on a log', () => {
  let lab: Lab
  before(async () => {
    lab = await Lab.open()
  })
  after(() => lab.close())

  it('an honest log: nothing is found in it, also by those who hold its checkpoints', async () => {
    expect(await lab.findings(await lab.copy('n1'), { known: [...lab.checkpoints.values()] })).deep.equals([])
    const rebuilt = await lab.rebuild(lab.entries(), async () => lab.checkpoint(260))
    expect(await lab.findings(rebuilt)).deep.equals([])
  })

  for (const { kind, name, run } of [...FILE_ATTACKS, ...PROOF_ATTACKS]) {
    it(`${kind}: ${name}: is found`, async () => {
      expect(await run(lab)).not.deep.equals([])
    })
  }

  it('the table: names every kind', () => {
    const table = readFileSync(TABLE, 'utf8')
    const rows = [...table.matchAll(/^\| ([a-z][a-z' ]+) \|/gm)].map(([, kind]) => kind).filter((kind) => kind !== 'attack')
    expect(new Set(rows)).deep.equals(new Set([...FILE_ATTACKS, ...PROOF_ATTACKS].map((a) => a.kind)))
  })
})
