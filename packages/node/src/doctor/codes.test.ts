import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { SEVERITIES } from './finding.ts'

const page = readFileSync(join(import.meta.dirname, '../../../../docs/doctor.md'), 'utf8')
const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| (\w+) \| (.+) \| (.+) \|$/gm)]
const sources = readdirSync(import.meta.dirname).filter((f) => f.endsWith('.ts') && f !== 'finding.ts' && f !== 'codes.test.ts')
const textOf = (files: readonly string[]) => files.map((f) => readFileSync(join(import.meta.dirname, f), 'utf8')).join('\n')

describe('doctor: codes', () => {
  it('codes: docs/doctor.md has every code once, with its severity, its meaning and its fix', () => {
    expect(rows.map(([, code]) => code).toSorted()).to.deep.equal(Object.keys(SEVERITIES).toSorted())
    for (const [, code, severity] of rows) expect(severity, code).to.equal(SEVERITIES[code as keyof typeof SEVERITIES])
  })

  it('codes: each is made by a check, and a test of a check expects it', () => {
    const [checks, tests] = [sources.filter((f) => !f.includes('.test.')), sources.filter((f) => f.includes('.test.'))].map(textOf)
    const missing = (text = '') => Object.keys(SEVERITIES).filter((code) => !text.includes(`'${code}'`))
    expect([missing(checks), missing(tests)]).to.deep.equal([[], []])
  })
})
