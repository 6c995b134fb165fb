import { codeOf, equalBytes, seededRandom, systemClock, utf8 } from '@conclave/core'
import { expect } from 'chai'
import { refusal } from './conformance.ts'
import type { Hsm } from './hsm.ts'
import { createVault } from './hsm-vault.ts'
import { tokenSigner } from './identity-signer.ts'
import type { KeyVault } from './key-vault.ts'
import { MemoryShelf } from './life-conformance.ts'
import { MemoryDevice } from './memory-hsm.ts'
import { memoryVault } from './memory-vault.ts'
import { parseRecord } from './record.ts'

const NAMES = ['primary', 'backup'] as const

/** Lets so many deeds of a process happen; at the next one it dies, before the deed or right after it. */
class Fate {
  readonly #deeds: number
  readonly #after: boolean
  done = 0

  constructor(deeds: number, after: boolean) {
    this.#deeds = deeds
    this.#after = after
  }

  async do<T>(deed: () => Promise<T>): Promise<T> {
    if (this.done > this.#deeds) throw new Error('dead')
    const last = this.done++ === this.#deeds
    if (last && !this.#after) throw new Error('dead')
    const result = await deed()
    if (last) throw new Error('dead')
    return result
  }

  get struck(): boolean {
    return this.done > this.#deeds
  }
}

/** An HSM whose changes, and no other answers, are deeds. */
function mortal(hsm: Hsm, fate: Fate): Hsm {
  return {
    ...hsm,
    makeKek: (generation) => fate.do(() => hsm.makeKek(generation)),
    destroyKek: (kek) => fate.do(() => hsm.destroyKek(kek)),
    wrap: (aad, dek) => fate.do(() => hsm.wrap(aad, dek)),
  }
}

function mortalShelf(shelf: MemoryShelf, fate: Fate) {
  return {
    settled: () => shelf.settled(),
    records: async () =>
      (await shelf.records()).map((entry) => ({ ...entry, replace: (record: Uint8Array) => fate.do(() => entry.replace(record)) })),
  }
}

async function partsOf(holder: Hsm) {
  const { identity } = await holder.describe()
  const signer = (hsm: Hsm) => tokenSigner(hsm, 'identity', identity!)
  return { identity: { holder, signer }, checkpointKeys: [], clock: systemClock, elapsedMs: () => 0 }
}

async function vaultOver(devices: readonly MemoryDevice[], fate: Fate): Promise<KeyVault> {
  const hsms = devices.map((d) => mortal(d.connect(), fate))
  const [holder] = hsms as [Hsm]
  return createVault({ hsms, ...(await partsOf(holder)), random: seededRandom(utf8('rotation')) })
}

describe('KEK rotation', () => {
  for (const after of [false, true]) {
    it(`rotateKek: killed ${after ? 'after' : 'before'} any of its deeds, every record opens, and the next one completes it`, async () => {
      let deaths = 0
      for (let deeds = 0; ; deeds++) {
        const random = seededRandom(utf8(`rotation ${deeds} ${after}`))
        const devices = NAMES.map((name) => new MemoryDevice({ name, random }))
        const shelf = await MemoryShelf.of(await memoryVault({ devices, random }), 5)
        const before = [...shelf.all]
        const fate = new Fate(deeds, after)
        const outcome = await (await vaultOver(devices, fate)).rotateKek(mortalShelf(shelf, fate)).then(
          () => 'done',
          () => 'dead',
        )
        const vault = await memoryVault({ devices, random })
        await shelf.expectOpen(vault, NAMES)
        if (outcome === 'done' && !fate.struck) break
        deaths++
        const { generation } = await vault.rotateKek(shelf)
        await shelf.expectOpen(vault, NAMES)
        const keks = await vault.keks()
        expect(keks.map((h) => h.ok && h.keks.map((k) => k.generation))).to.deep.equal([[generation], [generation]])
        for (const [i, { context }] of (await shelf.records()).entries())
          expect((await refusal(vault.open(context, before[i] as Uint8Array))).code).to.equal('KEK_DESTROYED')
      }
      // Two KEKs made, two wraps and one replacement for each of five records, two KEKs destroyed.
      expect(deaths).to.equal(2 + 5 * 3 + 2)
    })
  }

  it('rotateKek: a record that is sealed, and stored, while it runs is never left behind', async () => {
    const devices = NAMES.map((name) => new MemoryDevice({ name }))
    const vault = await memoryVault({ devices })
    const shelf = await MemoryShelf.of(vault, 3)
    // Sealed under the old KEK, and on its way to the disk when the rotation begins.
    const [late] = (await MemoryShelf.of(vault, 4)).all.slice(3)
    const slow = {
      settled: async () => {
        if (shelf.all.length === 3) shelf.all.push(late as Uint8Array)
      },
      records: () => shelf.records(),
    }
    expect((await vault.rotateKek(slow)).records).to.equal(4)
    await shelf.expectOpen(vault, NAMES)
  })

  it('rotateKek: no KEK is destroyed while an open is under way that holds the record as it was', async () => {
    const device = new MemoryDevice({ name: 'primary' })
    const gate = Promise.withResolvers<void>()
    let held = 0
    const hsm = device.connect()
    const slow: Hsm = {
      ...hsm,
      unwrap: async (aad, key) => {
        if (key.kekGeneration === 1 && held++ === 0) await gate.promise
        return hsm.unwrap(aad, key)
      },
    }
    const vault = createVault({ hsms: [slow], ...(await partsOf(slow)), random: seededRandom(utf8('slow')) })
    const shelf = await MemoryShelf.of(await memoryVault({ devices: [device] }), 2)
    const [entry] = await shelf.records()
    const opening = vault.open(entry!.context, entry!.record)
    const rotating = vault.rotateKek(shelf)
    // All that the rotation does before it destroys.
    while (shelf.all.some((r) => parseRecord(r).recipients[0]!.kekGeneration === 1)) await new Promise(setImmediate)
    for (let i = 0; i < 20; i++) await new Promise(setImmediate)
    expect((await hsm.keks()).keks).to.have.length(2)
    gate.resolve()
    ;(await opening)[Symbol.dispose]()
    await rotating
    expect((await hsm.keks()).keks).to.have.length(1)
  })

  it('rotateKek: a token without a KEK gets none, and nothing is rotated', async () => {
    const devices = NAMES.map((name) => new MemoryDevice({ name }))
    const vault = await memoryVault({ devices })
    const shelf = await MemoryShelf.of(vault, 2)
    const lost = devices[1]!.connect()
    for (const kek of (await lost.keks()).keks) await lost.destroyKek(kek)
    expect((await refusal(vault.rotateKek(shelf))).code).to.equal('KEY_MISSING')
    expect((await refusal(lost.makeKek(2))).code).to.equal('KEY_MISSING')
    expect((await vault.keks()).map((h) => (h.ok ? h.keks.length : h.code))).to.deep.equal([1, 'KEY_MISSING'])
  })

  it('rotateKek: ends at the next step when the vault is closed, as if killed there', async () => {
    const devices = [new MemoryDevice({ name: 'primary' })]
    const vault = await memoryVault({ devices })
    const shelf = await MemoryShelf.of(vault, 8)
    let closed: Promise<void> | undefined
    shelf.onReplace = () => {
      closed ??= vault.close()
    }
    expect((await refusal(vault.rotateKek(shelf))).code).to.equal('CLOSED')
    await closed
    expect(shelf.all.filter((r) => parseRecord(r).recipients[0]!.kekGeneration === 1)).not.to.deep.equal([])
    await shelf.expectOpen(await memoryVault({ devices }))
  })

  it('rotateKek: records that are sealed without an end are BUSY, and no KEK is destroyed', async () => {
    const devices = [new MemoryDevice({ name: 'primary' })]
    const vault = await memoryVault({ devices })
    const shelf = await MemoryShelf.of(vault, 1)
    const [old] = shelf.all
    const restless = {
      settled: async () => undefined,
      records: async () => (await shelf.records()).map((entry) => ({ ...entry, record: old as Uint8Array })),
    }
    const { code, retriable } = await refusal(vault.rotateKek(restless))
    expect([code, retriable]).to.deep.equal(['BUSY', true])
    expect((await devices[0]!.connect().keks()).keks).to.have.length(2)
  })

  it('rewrap: an HSM that the node does not have any more loses its wraps', async () => {
    const devices = NAMES.map((name) => new MemoryDevice({ name }))
    const shelf = await MemoryShelf.of(await memoryVault({ devices }), 2)
    const bodies = shelf.all.map((r) => parseRecord(r).body)
    const vault = await memoryVault({ devices: devices.slice(0, 1) })
    expect(await vault.rewrap(shelf)).to.deep.equal({ records: 2, rewrapped: 2 })
    await shelf.expectOpen(vault, ['primary'])
    expect(shelf.all.every((r, i) => equalBytes(parseRecord(r).body, bodies[i] as Uint8Array))).to.equal(true)
  })
})

describe('destroyKeks', () => {
  it('destroys every KEK of an HSM whose records all open without it', async () => {
    const devices = NAMES.map((name) => new MemoryDevice({ name }))
    const vault = await memoryVault({ devices })
    const shelf = await MemoryShelf.of(vault, 3)
    expect((await vault.destroyKeks('backup', shelf)).map((k) => [k.hsm, k.generation])).to.deep.equal([['backup', 1]])
    expect(codeOf(await refusal(devices[1]!.connect().keks()))).to.equal('KEY_MISSING')
    await shelf.expectOpen(await memoryVault({ devices: devices.slice(0, 1) }))
  })

  it('is LAST_RECIPIENT, by the name of the record, when one opens with no other; then nothing is destroyed', async () => {
    const devices = NAMES.map((name) => new MemoryDevice({ name }))
    const vault = await memoryVault({ devices })
    devices[0]!.fail('TOKEN_LOST')
    const shelf = await MemoryShelf.of(vault, 3)
    devices[0]!.heal()
    const { code, message } = await refusal(vault.destroyKeks('backup', shelf))
    expect([code, /^record 0 opens with no other HSM/.test(message)]).to.deep.equal(['LAST_RECIPIENT', true])
    await shelf.expectOpen(vault)
  })

  it('is IDENTITY_HELD for the HSM that holds the identity, and KEY_MISSING for a name that is not configured', async () => {
    const vault = await memoryVault({ devices: NAMES.map((name) => new MemoryDevice({ name })) })
    const shelf = await MemoryShelf.of(vault, 1)
    expect((await refusal(vault.destroyKeks('primary', shelf))).code).to.equal('IDENTITY_HELD')
    expect((await refusal(vault.destroyKeks('nobody', shelf))).code).to.equal('KEY_MISSING')
  })
})
