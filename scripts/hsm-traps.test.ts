import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { missingTests, rowsOf } from './test-table.ts'

const ROOT = join(import.meta.dirname, '..')

// What was found on real tokens and in the binding. A trap that is met later goes here and into the table.
const TRAPS = [
  'module without locking',
  'buffers that nobody holds',
  'finalised with a call in flight',
  'initialised already',
  'empty IV',
  'IV of the HSM that does not change',
  'wrong tag is a general error',
  'errors named wrongly or not at all',
  'label of 32 bytes',
  'destroy without an argument',
  'dead sessions',
  'library that holds on to a dead connection',
  'interrupted operation',
  'session limit',
  'high s',
  'no ECDSA with SHA-256',
  'bare EC point',
  'PIN that locks',
  'linear search',
  'search in a vanished token',
  'one number, two key wraps',
  'keys that come out',
  'attributes that a module does not know',
  'broken padding',
  'one label, several tokens',
  'one serial, several tokens',
  'last character of the library parameters',
  'one library, one token',
  'throttling',
]

describe('HSM traps', () => {
  const traps = rowsOf(readFileSync(join(ROOT, 'docs/hsm/traps.md'), 'utf8'))

  it('traps: the table has each of them once', () => {
    expect(traps.map((t) => t.name)).to.deep.equal(TRAPS)
  })

  it('traps: every test that the table names exists, and every trap has one', () => {
    expect(missingTests(traps)).to.deep.equal([])
    expect(traps.filter((t) => t.tests.length === 0 || t.tests.some((test) => test.title === '')).map((t) => t.name)).to.deep.equal([])
  })

  it('traps: the code that deals with each exists', () => {
    for (const { name, cells } of traps) {
      const files = [...cells.join(' ').matchAll(/`([a-z0-9-/]+\.ts)`/g)].map((m) => m[1]!)
      expect(files.length, name).to.be.greaterThan(0)
      for (const file of files) expect(existsSync(join(ROOT, 'packages/vault/src', file)), `${name}: ${file}`).to.equal(true)
    }
  })
})
