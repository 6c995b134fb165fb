import { codeOf, type Random, seededRandom, systemRandom, toHex, utf8 } from '@conclave/core'
import { expect } from 'chai'
import { refusal } from './conformance.ts'
import { ENTROPY_BYTES, EntropyCheck, mixEntropy } from './entropy.ts'
import { MemoryDevice } from './memory-hsm.ts'
import { closingVaults } from './vaults.fixture.ts'

const constant: Random = { bytes: (length) => new Uint8Array(length).fill(7) }
const zeros: Random = { bytes: (length) => new Uint8Array(length) }

describe('entropy', () => {
  const mixed = (hsm: Random, system: Random, length = 32) =>
    toHex(mixEntropy(hsm.bytes(ENTROPY_BYTES), system.bytes(ENTROPY_BYTES), length))

  it('mix: either source alone makes every result another one, and both are needed to foretell one', () => {
    for (const dead of [constant, zeros]) {
      for (const length of [32, 1024]) {
        const results = Array.from({ length: 50 }, () => [mixed(dead, systemRandom, length), mixed(systemRandom, dead, length)]).flat()
        expect(new Set(results).size).to.equal(100)
      }
    }
    expect(mixed(constant, constant)).to.equal(mixed(constant, constant))
    // Neither is put before the other's bytes: which is which counts.
    expect(mixed(constant, zeros)).to.not.equal(mixed(zeros, constant))
  })

  it('mix: one bit of either source changes about half of the result', () => {
    const base = seededRandom(utf8('mix')).bytes(2 * ENTROPY_BYTES)
    const resultOf = (bytes: Uint8Array) => mixEntropy(bytes.slice(0, ENTROPY_BYTES), bytes.slice(ENTROPY_BYTES), 32)
    const plain = resultOf(base)
    for (let bit = 0; bit < 16 * ENTROPY_BYTES; bit += 41) {
      const flipped = resultOf(base.map((b, i) => (i === bit >> 3 ? b ^ (1 << (bit & 7)) : b)))
      const differing = flipped.reduce((n, b, i) => n + (b ^ plain[i]!).toString(2).replaceAll('0', '').length, 0)
      expect(differing, `bit ${bit}`).to.be.within(80, 176)
    }
  })

  it('mix: what went in is wiped', () => {
    const [hsm, system] = [systemRandom.bytes(ENTROPY_BYTES), systemRandom.bytes(ENTROPY_BYTES)]
    mixEntropy(hsm, system, 32)
    expect([...hsm, ...system].every((b) => b === 0)).to.equal(true)
  })

  it('check: takes what a generator gives, and its bytes as they are', () => {
    const check = new EntropyCheck()
    for (let i = 0; i < 1_000; i++) {
      const bytes = systemRandom.bytes(64)
      expect(toHex(check.accept(bytes.slice(), 64, 'h'))).to.equal(toHex(bytes))
    }
    for (const length of [1, 15, 16, 17]) expect(check.accept(systemRandom.bytes(length), length, 'h')).to.have.length(length)
  })

  const block = () => systemRandom.bytes(64)
  const broken: readonly (readonly [string, () => readonly Uint8Array[]])[] = [
    ['zeros', () => [new Uint8Array(64)]],
    ['sixteen zeros at its beginning', () => [Uint8Array.from([...new Uint8Array(16), ...systemRandom.bytes(48)])]],
    ['one byte over and over', () => [new Uint8Array(64).fill(0xff)]],
    ['its beginning again at its end', () => [((b) => Uint8Array.from([...b.subarray(0, 48), ...b.subarray(0, 16)]))(block())]],
    ['the answer before', () => ((b) => [b, b])(block())],
    ['a part of the answer before', () => ((b) => [b, Uint8Array.from([...block().subarray(0, 48), ...b.subarray(16, 32)])])(block())],
    ['too few', () => [systemRandom.bytes(63)]],
    ['none', () => [new Uint8Array(0)]],
  ]
  for (const [what, answers] of broken) {
    it(`check: refuses ${what}, and wipes it`, () => {
      const check = new EntropyCheck()
      const list = answers().map((a) => a.slice())
      const last = list.pop() as Uint8Array
      for (const answer of list) check.accept(answer, 64, 'h')
      let code = 'NOTHING_THROWN'
      try {
        check.accept(last, 64, 'h')
      } catch (error) {
        code = codeOf(error)
      }
      expect([code, last.every((b) => b === 0)]).to.deep.equal(['BAD_RANDOM', true])
    })
  }
})

describe('random of a vault', () => {
  const vaultOver = closingVaults()
  const device = (name: string) => new MemoryDevice({ name })

  it('random: with a dead system source it is another one each time; only who knows both can foretell it', async () => {
    const run = async (hsm: Random) => {
      const vault = await vaultOver({ devices: [new MemoryDevice({ name: 'primary', random: hsm })], random: zeros })
      return Promise.all(Array.from({ length: 10 }, async () => toHex(await vault.random(32))))
    }
    expect(new Set([...(await run(systemRandom)), ...(await run(systemRandom))]).size).to.equal(20)
    // Both fixed: only then it is a function of what we know.
    expect(await run(seededRandom(utf8('known')))).to.deep.equal(await run(seededRandom(utf8('known'))))
  })

  it('random: an HSM whose generator is stuck is out of service, told, and passed over', async () => {
    const [primary, backup] = [device('primary'), device('backup')]
    const vault = await vaultOver({ devices: [primary, backup] })
    const events: string[] = []
    vault.watch(({ kind, details }) => events.push(`${kind} ${details.hsm} ${details.code}`))
    primary.stickRandom(systemRandom.bytes(64))
    for (let i = 0; i < 3; i++) expect(await vault.random(32)).to.have.length(32)
    expect(events).to.deep.equal(['hsm.failed primary BAD_RANDOM'])
    const [first, second] = await vault.health()
    expect([first?.state, first?.code, second?.state]).to.deep.equal(['refused', 'BAD_RANDOM', 'up'])
  })

  it('random: without another HSM it is refused for good, until a person has seen to it', async () => {
    const only = device('primary')
    const vault = await vaultOver({ devices: [only] })
    only.stickRandom(new Uint8Array(64))
    for (let i = 0; i < 2; i++) {
      const error = await refusal(vault.random(32))
      expect([error.code, error.retriable]).to.deep.equal(['BAD_RANDOM', false])
    }
    only.stickRandom(undefined)
    expect((await refusal(vault.random(32))).code).to.equal('BAD_RANDOM')
    expect((await vault.hsm('primary').retry()).state).to.equal('up')
    expect(await vault.random(32)).to.have.length(32)
  })

  it('random: with no HSM up there is none, whatever the system has', async () => {
    const only = device('primary')
    const vault = await vaultOver({ devices: [only] })
    only.fail('TOKEN_LOST')
    expect((await refusal(vault.random(32))).code).to.equal('TOKEN_LOST')
  })
})
