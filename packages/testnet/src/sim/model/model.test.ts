import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { seededRandom, TaggedState, tagged, taggedExpand, u32, utf8 } from '@conclave/core'
import { expect } from 'chai'
import { childFlags } from '../fleet.ts'
import * as model from './arithmetic.ts'
import { assemble, digestScalar, nonceScalar, verifies } from './ecdsa.ts'
import * as hashes from './hash.ts'

const random = seededRandom(utf8('model'))

describe('model', () => {
  it('model: the hashes are those of the product', () => {
    for (const length of [0, 1, 31, 32, 33, 300, 20_000]) {
      const part = random.bytes(Math.max(1, length)).subarray(0, length)
      expect(hashes.tagged('label', part, utf8('b'))).to.deep.equal(tagged('label', part, utf8('b')))
      expect(hashes.taggedExpand('label', 100, part)).to.deep.equal(taggedExpand('label', 100, part))
      const [ours, theirs] = [new hashes.TaggedState('x', [part]), new TaggedState('x', [part])]
      expect(ours.digest(u32(1))).to.deep.equal(theirs.digest(u32(1)))
      expect(ours.expand(48, u32(2))).to.deep.equal(theirs.expand(48, u32(2)))
      expect(ours.digest()).to.deep.equal(theirs.digest())
    }
  })

  it('model: points obey the laws of a group, and survive their encoding', () => {
    const [a, b] = [model.randomScalar(random), model.randomScalar(random)]
    const [p, r] = [model.mulBase(a), model.mulBase(b)]
    expect(p.add(r).equals(model.mulBase(model.addScalars(a, b)))).to.equal(true)
    expect(model.mul(p, b).equals(model.mul(r, a))).to.equal(true)
    expect(model.subPoints(p, p).equals(model.O)).to.equal(true)
    expect(model.mulScalars(a, model.invertScalar(a))).to.equal(1n)
    const opposite = model.subPoints(model.O, p)
    expect(opposite.toAffine().x).to.equal(p.toAffine().x)
    for (const point of [p, r, opposite]) {
      const bytes = model.pointToBytes(point)
      expect(bytes).to.have.length(33)
      expect(model.pointFromBytes(bytes)?.equals(point)).to.equal(true)
    }
    expect(() => model.pointToBytes(model.O)).to.throw()
    expect(model.pointFromBytes(new Uint8Array(33))).to.equal(undefined)
    expect(model.scalarFromBytes(new Uint8Array(32).fill(0xff))).to.equal(undefined)
  })

  it('model: a signature verifies under its key and digest, and under no other', () => {
    const [x, k] = [model.randomScalar(random), model.randomScalar(random)]
    const digest = tagged('digest')
    const nonce = model.mulBase(k)
    const s = model.mulScalars(model.invertScalar(k), model.addScalars(digestScalar(digest), model.mulScalars(nonceScalar(nonce), x)))
    const { signature } = assemble(nonce, s)
    const publicKey = model.pointToBytes(model.mulBase(x))
    expect(verifies(publicKey, digest, signature)).to.equal(true)
    expect(verifies(publicKey, tagged('other'), signature)).to.equal(false)
    expect(verifies(model.pointToBytes(nonce), digest, signature)).to.equal(false)
    expect(verifies(publicKey, digest, signature.subarray(1))).to.equal(false)
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
