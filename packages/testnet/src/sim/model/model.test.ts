import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { seededRandom, utf8 } from '@conclave/core'
import { kernel } from '@conclave/kernel'
import { expect } from 'chai'
import { childFlags } from '../fleet.ts'
import * as model from './points.ts'

const random = seededRandom(utf8('model'))
const draw = () => kernel.reduceWide(random.bytes(48))

describe('model', () => {
  it('model: points obey the laws of a group, and survive their encoding', () => {
    const [a, b] = [draw(), draw()]
    const [p, r] = [model.mulBase(a), model.mulBase(b)]
    expect(model.equalPoints(model.addPoints(p, r), model.mulBase(kernel.addScalars(a, b)))).to.equal(true)
    expect(model.equalPoints(model.mul(p, b), model.mul(r, a))).to.equal(true)
    expect(model.equalPoints(model.mulTable(model.tableOf(p), b), model.mul(p, b))).to.equal(true)
    expect(model.equalPoints(model.combinePublic(a, r, b), model.addPoints(p, model.mul(r, b)))).to.equal(true)
    expect(model.equalPoints(model.timesSmall(p, 3), model.sumPoints([p, p, p]))).to.equal(true)
    expect(model.equalPoints(p, r)).to.equal(false)
    expect(model.equalPoints(model.mul(model.G, a), p)).to.equal(true)
    expect(model.isIdentity(model.subPoints(p, p))).to.equal(true)
    const opposite = model.subPoints(model.O, p)
    const [bytes, oppositeBytes] = model.pointsToBytes([p, opposite]) as [Uint8Array, Uint8Array]
    expect(oppositeBytes.subarray(1)).to.deep.equal(bytes.subarray(1))
    expect(oppositeBytes[0]).to.equal(5 - (bytes[0] as number))
    for (const point of [p, r, opposite]) {
      const encoded = model.pointToBytes(point)
      expect(encoded).to.have.length(33)
      expect(model.equalPoints(model.pointFromBytes(encoded) as model.Point, point)).to.equal(true)
    }
    expect(() => model.pointToBytes(model.O)).to.throw()
    const high = Uint8Array.from([2, ...new Uint8Array(32).fill(0xaa)])
    for (const bad of [new Uint8Array(33), new Uint8Array(33).fill(255), high, bytes.subarray(1), new Uint8Array(0)])
      expect(model.pointFromBytes(bad)).to.equal(undefined)
  })

  it('model: a point does not change when the scalar that it came from is wiped', () => {
    const a = draw()
    const p = model.mulBase(a)
    const bytes = model.pointToBytes(p)
    a.fill(0)
    expect(model.pointToBytes(p)).to.deep.equal(bytes)
  })

  it('model: a signature over it verifies under its key and digest, and under no other', () => {
    const script = fileURLToPath(new URL('./signature.fixture.ts', import.meta.url))
    const run = spawnSync(process.execPath, [...childFlags({ real: false }), script], { encoding: 'utf8' })
    expect(run.stderr).to.equal('')
    expect(JSON.parse(run.stdout)).to.deep.equal({ own: true, high: false, otherDigest: false, otherKey: false, short: false })
  })

  it('model: it stands in for every name of what it replaces, and for nothing in a process without it', () => {
    const script = fileURLToPath(new URL('./names.fixture.ts', import.meta.url))
    const run = (flags: readonly string[]) => spawnSync(process.execPath, [...flags, script], { encoding: 'utf8' })
    const [real, simulated] = [run([]), run(childFlags({ real: false }))]
    expect(real.stderr + simulated.stderr).to.equal('')
    const names = (out: string) => JSON.parse(out) as Record<string, { names: string[]; model: boolean }>
    for (const [path, { names: exported, model: isModel }] of Object.entries(names(real.stdout))) {
      expect(isModel, path).to.equal(false)
      const there = names(simulated.stdout)[path]
      expect(there?.model, path).to.equal(true)
      expect(there?.names, path).to.include.members(exported)
    }
  })
})
