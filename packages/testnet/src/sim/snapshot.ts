import type { PartyId } from '@conclave/core'
import type { KeyCreated } from '@conclave/wire'
import { createKey } from './actions.ts'
import { Driver } from './driver.ts'
import { KeysBook } from './keys-book.ts'
import { BASE_KEY } from './plan.ts'
import type { DiskImage } from './sim-disk.ts'
import { World } from './world.ts'

const UNTIL_MS = 60_000

/** The disks of a cluster that has set up its pairs and made one key. */
export interface Snapshot {
  readonly images: ReadonlyMap<PartyId, DiskImage>
  readonly key: Omit<KeyCreated, 'chainCode'>
}

const made = new Map<string, Promise<Snapshot>>()

async function make(n: number, t: number): Promise<Snapshot> {
  const world = await World.create({ seed: `snapshot ${t} of ${n}`, n, t })
  const driver = new Driver(world)
  const book = new KeysBook()
  await driver.start()
  for (const node of world.nodes) void node.start()
  const parties = world.lock.nodes.map((m) => m.index)
  let done = false
  const script = async () => {
    await world.timeline.pause(2_000)
    await createKey({ driver, book, dice: world.dice.fork('driver') }, BASE_KEY, { parties, threshold: t }, 3)
    // The last one still writes when the first has answered.
    await world.timeline.pause(2_000)
    done = true
  }
  void script()
  await world.timeline.run(() => done, UNTIL_MS)
  const key = book.keys.get(BASE_KEY)
  if (key === undefined || world.violations.length > 0) throw new Error(`no snapshot of ${t} of ${n}: a calm cluster made no key`)
  for (const node of world.nodes) node.kill()
  return { images: new Map(world.nodes.map((node) => [node.index, node.image])), key }
}

/** The same in every run and every process: it depends on the two numbers only. */
export function snapshotOf(n: number, t: number): Promise<Snapshot> {
  const name = `${t} of ${n}`
  const known = made.get(name) ?? make(n, t)
  made.set(name, known)
  return known
}
