import type { Driver } from './driver.ts'
import type { SimNode } from './sim-node.ts'
import type { SeatChange, World } from './world.ts'

const POLL_MS = 250

/** Puts the newest lock into a machine's directory and starts it anew, after so long a pause. */
export function moveNode(world: World, node: SimNode, downMs: number): void {
  node.kill()
  node.lock = world.lock
  world.timeline.after(downMs, () => void node.start())
}

/** Waits until every machine of the newest lock has it on its disk. @returns whether that was so before `untilMs`. */
export async function adopted(world: World, untilMs: number): Promise<boolean> {
  while (!world.nodes.every((node) => node.hasAdopted(world.lock))) {
    if (world.timeline.nowMs > untilMs) return false
    await world.timeline.pause(POLL_MS)
  }
  return true
}

/** The whole cluster goes to the next lock, one machine after the other, and the coordinator with it. Who leaves runs on. */
export async function changeLock(world: World, driver: Driver, change: SeatChange): Promise<void> {
  await world.agree(change)
  for (const [i, node] of world.nodes.entries()) moveNode(world, node, 200 * (i + 1))
  await driver.move()
  if (!(await adopted(world, world.timeline.nowMs + 60_000))) world.violate('locks are adopted', `version ${world.lock.version}`)
}
