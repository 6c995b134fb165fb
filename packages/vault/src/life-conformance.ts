import { concat, equalBytes, toHex, u32 } from '@conclave/core'
import { expect } from 'chai'
import type { KeyVault } from './key-vault.ts'
import { parseRecord } from './record.ts'
import type { RecordShelf } from './record-shelf.ts'
import { CONFORMANCE_CONTEXT as CONTEXT, type ConformanceRig, opened, refusal, CONFORMANCE_SECRET as SECRET } from './rig-conformance.ts'

const RECORDS = 6
const contextOf = (i: number) => ({ ...CONTEXT, keyId: `life-${i}` })
const secretOf = (i: number) => concat(SECRET, u32(i))

/** Records in memory. */
export class MemoryShelf implements RecordShelf {
  readonly all: Uint8Array[]
  /** Called before a record is put in its place. */
  onReplace: (i: number) => void = () => undefined

  constructor(records: readonly Uint8Array[]) {
    this.all = [...records]
  }

  /** A shelf of fresh records. */
  static async of(vault: KeyVault, count: number = RECORDS): Promise<MemoryShelf> {
    const indices = Array.from({ length: count }, (_, i) => i)
    return new MemoryShelf(await Promise.all(indices.map((i) => vault.seal(contextOf(i), secretOf(i)))))
  }

  async settled(): Promise<void> {
    // Nothing is being sealed behind our back.
  }

  async records() {
    return this.all.map((record, i) => ({
      name: `record ${i}`,
      context: contextOf(i),
      record,
      replace: async (rewrapped: Uint8Array) => {
        this.onReplace(i)
        if (this.all[i] !== record) return false
        this.all[i] = rewrapped
        return true
      },
    }))
  }

  /** That each opens, with these HSMs as recipients. */
  async expectOpen(vault: KeyVault, recipients?: readonly string[]): Promise<void> {
    for (const [i, record] of this.all.entries()) {
      expect(await opened(vault.open(contextOf(i), record)), `record ${i}`).to.equal(toHex(secretOf(i)))
      if (recipients !== undefined) expect(parseRecord(record).recipients.map((r) => r.name)).to.deep.equal(recipients)
    }
  }
}

const bodyOf = (record: Uint8Array) => {
  const { bodyIv, body } = parseRecord(record)
  return concat(bodyIv, body)
}

async function generationsOf(vault: KeyVault): Promise<readonly (readonly number[])[]> {
  return (await vault.keks()).map((h) => (h.ok ? h.keks.map((k) => k.generation) : []))
}

/** Generations of KEKs, rewraps and rotations. Run last: where a token makes keys, its KEK is another one afterwards. */
export function lifeTests(rig: () => ConformanceRig, makesKeys: boolean): void {
  it('keks: every HSM names its token, its KEK and how it wraps', async () => {
    await using vault = await disposable(rig)
    const keks = await vault.it.keks()
    expect(keks.map((h) => [h.name, h.ok && h.keks.length])).to.deep.equal([
      ['primary', 1],
      ['backup', 1],
    ])
    const { recipients } = parseRecord(await vault.it.seal(CONTEXT, SECRET))
    const facts = keks.map((h) => h.ok && [h.tokenSerial, h.keks.at(-1)?.id, h.keks.at(-1)?.generation, h.mechanism])
    expect(facts).to.deep.equal(recipients.map((r) => [r.tokenSerial, r.kekId, r.kekGeneration, r.mechanism]))
  })

  it('rewrap: a record that misses an HSM is caught up, its body byte for byte the same; the others are left alone', async () => {
    await using vault = await disposable(rig)
    await rig().kill('backup')
    const lonely = await MemoryShelf.of(vault.it, 2)
    await rig().revive('backup')
    const shelf = new MemoryShelf([...lonely.all, ...(await MemoryShelf.of(vault.it, 4)).all.slice(2)])
    const before = [...shelf.all]
    expect(await vault.it.rewrap(shelf)).to.deep.equal({ records: 4, rewrapped: 2 })
    await shelf.expectOpen(vault.it, ['primary', 'backup'])
    expect(shelf.all.map((r, i) => r === before[i])).to.deep.equal([false, false, true, true])
    for (const [i, record] of shelf.all.entries()) expect(equalBytes(bodyOf(record), bodyOf(before[i] as Uint8Array))).to.equal(true)
    // A TPM that loses its power too often takes that for an attack.
    if (!makesKeys) return
    await rig().kill('primary')
    await shelf.expectOpen(vault.it).finally(() => rig().revive('primary'))
  })

  it('rewrap, rotateKek: an HSM that is down stops both, with the way out, unless it is left out by name', async () => {
    await using vault = await disposable(rig)
    const shelf = await MemoryShelf.of(vault.it)
    await rig().kill('backup')
    try {
      for (const act of ['rewrap', 'rotateKek'] as const) {
        const error = await refusal(vault.it[act](shelf))
        expect([error.retriable, /"backup" is down .*"--without backup"/.test(error.message)], `${act}: ${error.message}`).to.deep.equal([
          true,
          true,
        ])
      }
      expect((await vault.it.rewrap(shelf, { without: ['backup'] })).rewrapped).to.equal(0)
      expect((await refusal(vault.it.rewrap(shelf, { without: ['nobody'] }))).code).to.equal('KEY_MISSING')
    } finally {
      await rig().revive('backup')
    }
    await shelf.expectOpen(vault.it, ['primary', 'backup'])
    expect(await generationsOf(vault.it)).to.deep.equal([[1], [1]])
  })

  it('rewrap: a record that is not authentic is named, and stays as it is', async () => {
    await using vault = await disposable(rig)
    await rig().kill('backup')
    const shelf = await MemoryShelf.of(vault.it, 2).finally(() => rig().revive('backup'))
    const changed = (shelf.all[1] as Uint8Array).slice()
    changed[changed.length - 1]! ^= 1
    shelf.all[1] = changed
    const { code, message, details } = await refusal(vault.it.rewrap(shelf))
    expect([code, message.startsWith('record 1: '), details.record]).to.deep.equal(['TAMPER', true, 'record 1'])
    expect(shelf.all[1]).to.equal(changed)
  })

  if (makesKeys) rotationTests(rig)
  else toolTests(rig)
}

function rotationTests(rig: () => ConformanceRig): void {
  it('rotateKek: records open under the next generation with their bodies as before, the old KEKs are gone, and old copies are KEK_DESTROYED', async () => {
    await using vault = await disposable(rig)
    const shelf = await MemoryShelf.of(vault.it)
    const before = [...shelf.all]
    const rotation = await vault.it.rotateKek(shelf)
    const { generation, resumed, hsms, records, rewrapped, destroyed } = rotation
    expect({ generation, resumed, hsms, records, rewrapped }).to.deep.equal({
      ...{ generation: 2, resumed: false, hsms: ['primary', 'backup'], records: RECORDS, rewrapped: RECORDS },
    })
    expect(destroyed.map((k) => [k.hsm, k.generation])).to.deep.equal([
      ['primary', 1],
      ['backup', 1],
    ])
    expect(await generationsOf(vault.it)).to.deep.equal([[2], [2]])
    await shelf.expectOpen(vault.it, ['primary', 'backup'])
    for (const [i, old] of before.entries()) {
      expect(equalBytes(bodyOf(shelf.all[i] as Uint8Array), bodyOf(old))).to.equal(true)
      const error = await refusal(vault.it.open(contextOf(i), old))
      expect([error.code, error.retriable]).to.deep.equal(['KEK_DESTROYED', false])
    }
    await using restarted = await disposable(rig)
    await shelf.expectOpen(restarted.it)
    expect((await refusal(restarted.it.open(contextOf(0), before[0] as Uint8Array))).code).to.equal('KEK_DESTROYED')
  })

  it('rotateKek: one that broke off left everything open, and the next one completes it', async () => {
    await using vault = await disposable(rig)
    const shelf = await MemoryShelf.of(vault.it)
    const [first] = await generationsOf(vault.it)
    shelf.onReplace = (i) => {
      if (i === 3) throw new Error('the disk is full')
    }
    const failure = await vault.it.rotateKek(shelf).catch((e: Error) => e.message)
    expect(failure).to.equal('the disk is full')
    const target = (first?.[0] as number) + 1
    expect(await generationsOf(vault.it)).to.deep.equal([
      [target - 1, target],
      [target - 1, target],
    ])
    await shelf.expectOpen(vault.it)
    shelf.onReplace = () => undefined
    await using restarted = await disposable(rig)
    await shelf.expectOpen(restarted.it)
    const again = await restarted.it.rotateKek(shelf)
    expect([again.generation, again.resumed]).to.deep.equal([target, true])
    expect(await generationsOf(restarted.it)).to.deep.equal([[target], [target]])
    await shelf.expectOpen(restarted.it, ['primary', 'backup'])
  })

  it('rotateKek: opening, sealing and a second rotation meanwhile', async () => {
    await using vault = await disposable(rig)
    const shelf = await MemoryShelf.of(vault.it, 20)
    const late: Promise<Uint8Array>[] = []
    let second: Promise<string> | undefined
    const opens: Promise<string>[] = []
    shelf.onReplace = (i) => {
      second ??= refusal(vault.it.rotateKek(shelf)).then((e) => e.code)
      opens.push(opened(vault.it.open(contextOf(i), shelf.all[i] as Uint8Array)))
      if (i === 10) late.push(vault.it.seal(contextOf(20), secretOf(20)))
    }
    await vault.it.rotateKek(shelf)
    expect(await second).to.equal('BUSY')
    expect((await Promise.all(opens)).length).to.equal(20)
    shelf.all.push(await (late[0] as Promise<Uint8Array>))
    await shelf.expectOpen(vault.it, ['primary', 'backup'])
  })

  it('rotateKek: an HSM that is said to be dead keeps its KEK and loses its wraps, and is caught up when it is back', async () => {
    await using vault = await disposable(rig)
    const shelf = await MemoryShelf.of(vault.it)
    const [before] = (await generationsOf(vault.it)) as [readonly number[]]
    await rig().kill('backup')
    const { generation, without } = await vault.it.rotateKek(shelf, { without: ['backup'] }).finally(() => rig().revive('backup'))
    expect([generation, without]).to.deep.equal([(before[0] as number) + 1, ['backup']])
    await shelf.expectOpen(vault.it, ['primary'])
    expect(await generationsOf(vault.it)).to.deep.equal([[generation], [generation - 1]])
    expect((await vault.it.rewrap(shelf)).rewrapped).to.equal(RECORDS)
    await shelf.expectOpen(vault.it, ['primary', 'backup'])
    expect((await vault.it.rotateKek(shelf)).generation).to.equal(generation + 1)
    expect(await generationsOf(vault.it)).to.deep.equal([[generation + 1], [generation + 1]])
  })
}

function toolTests(rig: () => ConformanceRig): void {
  it('rotateKek: on a token that makes no keys it is UNSUPPORTED with what to make by hand, and nothing is lost', async () => {
    await using vault = await disposable(rig)
    const shelf = await MemoryShelf.of(vault.it)
    const error = await refusal(vault.it.rotateKek(shelf))
    expect([error.code, /make "conclave-kek-g2", and "conclave-kek-g2-mac"/.test(error.message)]).to.deep.equal(['UNSUPPORTED', true])
    await shelf.expectOpen(vault.it, ['primary', 'backup'])
  })
}

async function disposable(rig: () => ConformanceRig): Promise<AsyncDisposable & { readonly it: KeyVault }> {
  const vault = await rig().open()
  return { it: vault, [Symbol.asyncDispose]: () => vault.close() }
}
