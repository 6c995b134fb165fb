import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'

const AGENT = import.meta.dirname
const SOURCES = readdirSync(AGENT).filter((name) => name.endsWith('.ts') && !/\.(test|fixture)\.ts$/.test(name))

function callsOf(name: string): readonly string[] {
  return [...readFileSync(join(AGENT, name), 'utf8').matchAll(/\.(C_\w+)\(/g)].map((m) => m[1]!)
}

describe('PKCS#11 binding', () => {
  it('binding: only one file calls it, and only synchronously', () => {
    expect(SOURCES.filter((name) => callsOf(name).length > 0)).to.deep.equal(['cryptoki.ts'])
    const calls = callsOf('cryptoki.ts')
    expect(calls.length).to.be.greaterThan(20)
    expect(calls.filter((call) => /Async$|Callback$/.test(call))).to.deep.equal([])
  })
})
