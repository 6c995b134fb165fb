import type { Change, Entry, Page, Section, Store } from '@conclave/node'
import type { Dice } from './dice.ts'
import { Lane, type Life, type Timeline } from './timeline.ts'
import { mark, type Trace } from './trace.ts'

/** When a process dies, as seen from one write: unwritten; written but unknown to the writer; known. Writes are never torn. */
export const PHASES = ['before', 'at', 'after'] as const
export type Phase = (typeof PHASES)[number]

/** What is on the platters: it outlives the process. */
export class DiskImage {
  readonly records = new Map<string, Uint8Array>()
  /** Writes begun since the beginning. */
  writes = 0

  list(section: Section): readonly Entry[] {
    const from = `${section}!`
    return [...this.records]
      .filter(([name]) => name.startsWith(from))
      .map(([name, value]) => ({ key: name.slice(from.length), value }))
      .sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  /** Loses a section. */
  forget(section: Section): void {
    for (const { key } of this.list(section)) this.records.delete(`${section}!${key}`)
  }

  copy(): DiskImage {
    const image = new DiskImage()
    for (const [name, value] of this.records) image.records.set(name, value)
    return image
  }
}

export interface DiskOptions {
  readonly name: string
  readonly image: DiskImage
  readonly timeline: Timeline
  readonly life: Life
  readonly dice: Dice
  readonly trace: Trace
  /** Milliseconds that every access takes on top. */
  slowMs(): number
  /** Told of every write, in order; may end `life`. */
  wrote(write: number, phase: Phase, changes: readonly Change[]): void
}

const copyOf = (value: Uint8Array): Uint8Array => Uint8Array.from(value)
const nameOf = (c: Change): string => ('put' in c ? `${c.put}!${c.key}` : `${c.del}!${c.key}`)

/** The disk of one process: what `apply` has not yet made durable dies with it. Writes become durable in the order of the calls. */
export class SimDisk implements Store {
  readonly #o: DiskOptions
  readonly #lane = new Lane()

  constructor(options: DiskOptions) {
    this.#o = options
  }

  async get(section: Section, key: string): Promise<Uint8Array | undefined> {
    await this.#read()
    const value = this.#o.image.records.get(`${section}!${key}`)
    return value === undefined ? undefined : copyOf(value)
  }

  async list(section: Section, page?: Page): Promise<readonly Entry[]> {
    await this.#read()
    const all = this.#o.image.list(section)
    const asked = page === undefined ? all : all.filter(({ key }) => key > page.after).slice(0, page.limit)
    return asked.map(({ key, value }) => ({ key, value: copyOf(value) }))
  }

  apply(changes: readonly Change[]): Promise<void> {
    const { name, image, timeline, life, dice, trace, slowMs, wrote } = this.#o
    const write = ++image.writes
    const kept = changes.map((c) => ('put' in c ? { ...c, value: copyOf(c.value) } : c))
    const { promise, resolve } = Promise.withResolvers<void>()
    trace.note(`write ${name} ${write} ${kept.map((c) => `${nameOf(c)}=${'put' in c ? mark(c.value) : ''}`).join(' ')}`)
    wrote(write, 'before', kept)
    const durable = () => {
      for (const c of kept) {
        if ('put' in c) image.records.set(nameOf(c), c.value)
        else image.records.delete(nameOf(c))
      }
      trace.note(`durable ${name} ${write}`)
      wrote(write, 'at', kept)
      const told = () => {
        resolve()
        // The writer acts on it first: its promises come before the next event.
        timeline.after(0, () => wrote(write, 'after', kept), life)
      }
      timeline.after(dice.float() + slowMs() / 2, told, life)
    }
    timeline.at(this.#lane.next(timeline.nowMs + 0.2 + 3 * dice.float() + slowMs()), durable, life)
    return promise
  }

  async close(): Promise<void> {
    // Nothing to let go of.
  }

  async #read(): Promise<void> {
    const slow = this.#o.slowMs()
    if (slow > 0) await this.#o.timeline.pause(slow / 4, this.#o.life)
  }
}
