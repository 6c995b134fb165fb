import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { COORDINATOR_ATTACKS } from './coordinator-attacks.fixture.ts'

const TABLE = join(import.meta.dirname, '../../../../docs/spec/coordinator-attacks.md')

describe('coordinator attacks', () => {
  it('coordinator attacks: the table and the code have the same attempts, with the same codes, in the same order', () => {
    const rows = [...readFileSync(TABLE, 'utf8').matchAll(/^\| (.+) \| `([A-Z_]+)` \|$/gm)].map(([, name, code]) => ({ name, code }))
    expect(rows).to.deep.equal(COORDINATOR_ATTACKS.map(({ name, code }) => ({ name, code })))
    expect(new Set(rows.map((r) => r.name)).size).to.equal(rows.length)
    expect(rows).to.have.length.above(19)
  })
})
