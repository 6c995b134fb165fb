import { expect } from 'chai'
import { Dice } from './dice.ts'
import { DiskImage, PHASES, type Phase, SimDisk } from './sim-disk.ts'
import { Timeline } from './timeline.ts'
import { Trace } from './trace.ts'

const FAR_MS = 1e6
const VALUE = Uint8Array.of(1, 2, 3)

describe('simulated disk', () => {
  /** Writes two records at once and dies at a phase of that write. */
  async function dieAt(deadly: Phase | undefined): Promise<{ readonly kept: number; readonly told: boolean }> {
    const timeline = new Timeline(new Dice('disk'))
    const image = new DiskImage()
    const life = { alive: true }
    const disk = new SimDisk({
      ...{ name: 'n1', image, timeline, life, dice: new Dice('d'), trace: new Trace(() => timeline.nowMs), slowMs: () => 0 },
      wrote: (_write, phase) => {
        if (phase === deadly) life.alive = false
      },
    })
    let told = false
    void disk
      .apply([
        { put: 'key', key: 'a', value: VALUE },
        { put: 'pair', key: 'b', value: VALUE },
      ])
      .then(() => {
        told = true
      })
    await timeline.run(() => false, FAR_MS)
    return { kept: image.records.size, told }
  }

  it('simulated disk: a write is there completely or not at all, whenever the process dies', async () => {
    expect(await Promise.all([...PHASES, undefined].map(dieAt))).to.deep.equal([
      { kept: 0, told: false },
      { kept: 2, told: false },
      { kept: 2, told: true },
      { kept: 2, told: true },
    ])
  })

  it('simulated disk: nobody outside can change what was written, and a section lists only its own', async () => {
    const timeline = new Timeline(new Dice('disk'))
    const image = new DiskImage()
    const disk = new SimDisk({
      ...{ name: 'n1', image, timeline, life: { alive: true }, dice: new Dice('d'), trace: new Trace(() => 0), slowMs: () => 0 },
      wrote: () => undefined,
    })
    const value = Uint8Array.from(VALUE)
    const written = disk.apply([
      { put: 'key', key: 'a', value },
      { put: 'pending-key', key: 'c', value },
    ])
    value.fill(9)
    let isDone = false
    void written.then(() => {
      isDone = true
    })
    await timeline.run(() => isDone, FAR_MS)
    const listed = await disk.list('key')
    expect(listed).to.deep.equal([{ key: 'a', value: VALUE }])
    listed[0]?.value.fill(7)
    expect(await disk.get('key', 'a')).to.deep.equal(VALUE)
    expect(await disk.get('burn', 'a')).to.equal(undefined)
    expect([await disk.list('key', { after: 'a', limit: 9 }), await disk.list('key', { after: '', limit: 0 })]).to.deep.equal([[], []])
  })
})
