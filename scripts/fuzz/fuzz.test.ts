import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ConclaveError, concat } from '@conclave/core'
import { expect } from 'chai'
import fc from 'fast-check'
import { measured } from './allocation.ts'
import { fieldsOf } from './message-fields.ts'
import { inputOf, type Recipe, recipe } from './mutation.ts'
import { corpusOf, loadTargets, ROOT, type Started, type Target, tryInput } from './targets.ts'

const SEED = 0x66757a7a
const SEEDS_FROM = 50
const targets = await loadTargets()

describe('fuzz', () => {
  for (const target of targets) {
    it(`panic instead of abort: ${target.name} takes or refuses by code its corpus and ${target.runs} inputs`, async () => {
      const started = await target.start()
      try {
        // Where an input costs a whole run of a protocol, the protocol's own tests have shown the valid one.
        if (target.runs >= SEEDS_FROM) for (const seed of started.seeds) await tryInput(target, started, seed)
        for (const input of corpusOf(target).values()) await tryInput(target, started, input)
        const property = fc.asyncProperty(recipe, (r) => tryInput(target, started, inputOf(target.kind, started.seeds, r)))
        await fc.assert(property, { seed: SEED, numRuns: target.runs })
      } finally {
        await started.stop?.()
      }
    })
  }

  it('fuzz: every directory of the corpus is that of a target', () => {
    const names = targets.map((t) => t.name)
    expect(new Set(names).size).to.equal(names.length)
    expect(readdirSync(join(ROOT, 'test/corpus')).filter((dir) => !names.includes(dir))).to.deep.equal([])
  })

  const target = (run: Started['run'], more: Partial<Target> = {}): [Target, Started] => {
    const started = { seeds: [], run }
    return [{ name: 't', kind: 'bytes', runs: 1, codes: /^GOOD$/, start: () => started, ...more }, started]
  }
  const outcome = (...args: [Target, Started]) =>
    tryInput(...args, new Uint8Array(8)).then(
      () => 'fine',
      (error: Error) => error.message,
    )
  const failing = (error: unknown) => () => {
    throw error
  }

  it('fuzz: a foreign error, another code, a rejection and a large buffer are findings', async () => {
    expect(await outcome(...target(failing(new ConclaveError('GOOD', ''))))).to.equal('fine')
    expect(await outcome(...target(failing(new ConclaveError('INTERNAL', ''))))).to.match(/INTERNAL|an input got/)
    expect(await outcome(...target(failing(new TypeError('oh'))))).to.match(/TypeError: oh/)
    expect(await outcome(...target(async () => failing(new RangeError('late'))()))).to.match(/late/)
    for (const act of [() => new Uint8Array(1 << 20), () => Buffer.alloc(1 << 20), () => Buffer.allocUnsafe(1 << 20)]) {
      expect(await outcome(...target(act, { bounded: true }))).to.match(/1048576 bytes at once/)
      // Also when it is refused afterwards.
      const thenRefuses = () => failing([act(), new ConclaveError('GOOD', '')][1])()
      expect(await outcome(...target(thenRefuses, { bounded: true }))).to.match(/1048576 bytes at once/)
    }
    expect(measured(() => Uint8Array.from([1, 2])).largest).to.equal(2)
    expect(new Uint8Array(2)).to.be.instanceOf(Uint8Array)
  })

  it('fuzz: a recipe gives the same input every time, and most inputs are new ones', () => {
    const seeds = [Uint8Array.of(0x0a, 2, 1, 2, 0x10, 7), Uint8Array.of(0x0a, 4, 0x0a, 2, 8, 1)]
    const made = fc.sample(recipe, { seed: SEED, numRuns: 400 })
    for (const kind of ['bytes', 'message', 'text', 'json'] as const) {
      const inputs = made.map((r: Recipe) => inputOf(kind, seeds, r).join())
      expect(made.map((r: Recipe) => inputOf(kind, seeds, r).join())).to.deep.equal(inputs)
      expect(new Set(inputs).size, kind).to.be.greaterThan(100)
    }
  })

  it('fuzz: fields of a message are found, and are the whole of it', () => {
    const bytes = Uint8Array.of(0x0a, 2, 1, 2, 0x10, 0x96, 1)
    expect(fieldsOf(bytes)?.map(({ number, wire, payload }) => [number, wire, ...payload])).to.deep.equal([
      [1, 2, 1, 2],
      [2, 0, 0x96, 1],
    ])
    expect(concat(...(fieldsOf(bytes) ?? []).map((f) => f.bytes))).to.deep.equal(bytes)
    for (const bad of [[0x0a, 3, 1, 2], [0x0a], [0x00, 1], [0x0d, 1, 2, 3, 4]]) expect(fieldsOf(Uint8Array.from(bad))).to.equal(undefined)
  })
})
