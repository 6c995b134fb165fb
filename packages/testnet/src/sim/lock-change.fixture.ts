/** A cluster whose committee, threshold and members change over four locks; prints what was seen. Runs over the model. */
import { type PartyId, toHex } from '@conclave/core'
import { type Office, signWith } from './actions.ts'
import { Driver } from './driver.ts'
import { baseTimes } from './group.ts'
import { checkInvariants, interpolate, sharesOf } from './invariants.ts'
import { KeysBook, type KnownKey } from './keys-book.ts'
import { changeLock } from './lock-move.ts'
import { BASE_KEY } from './plan.ts'
import { Probe } from './probe.ts'
import { renewKey } from './renew.ts'
import { settle } from './settle.ts'
import type { SimNode } from './sim-node.ts'
import { snapshotOf } from './snapshot.ts'
import { type SeatChange, World } from './world.ts'

const UNTIL_MS = 2_000_000
/** Long enough for the gossip that has old epochs erased. */
const ERASE_MS = 90_000

const lines: string[] = []
const { images, key: made } = await snapshotOf(5, 3)
const world = await World.create({ seed: 'locks', n: 5, t: 3, images, print: (line) => lines.push(line) })
const book = new KeysBook()
const probe = new Probe(world, book)
const driver = new Driver(world)
const office: Office = { driver, book, dice: world.dice.fork('driver') }
const key: KnownKey = { ...made, threshold: 3, parties: [1, 2, 3, 4, 5] }

/** Shares by epoch, of these machines. */
async function shares(machines: readonly SimNode[]): Promise<Map<number, Map<PartyId, bigint>>> {
  const found = new Map<number, Map<PartyId, bigint>>()
  for (const node of machines) {
    for (const [epoch, { value }] of await sharesOf(world, node, BASE_KEY)) {
      found.set(epoch, (found.get(epoch) ?? new Map<PartyId, bigint>()).set(node.index, value))
    }
  }
  return found
}

/** Whether some `size` of these points make the key. */
function makesKey(points: readonly (readonly [PartyId, bigint])[], size: number): boolean {
  const choose = (from: number, chosen: readonly (readonly [PartyId, bigint])[]): boolean => {
    if (chosen.length === size) {
      const quorum = new Map(chosen)
      return quorum.size === size && toHex(baseTimes(interpolate(quorum))) === toHex(made.publicKey)
    }
    return points.slice(from).some((p, i) => choose(from + i + 1, [...chosen, p]))
  }
  return choose(0, [])
}

async function sign(): Promise<boolean> {
  return (await signWith(office, key, { among: key.parties, tries: 3, hasty: false })) !== undefined
}

/** What can be said after a reshare and a signature under a lock. */
async function after(): Promise<object> {
  const signed = await sign()
  await world.timeline.pause(ERASE_MS)
  const [here, gone] = [await shares(world.nodes), await shares(world.leavers)]
  const present = [...(here.get(key.epoch) ?? [])]
  const old = [...gone.values()].flatMap((points) => [...points])
  return {
    lock: world.lock.version,
    required: world.lock.quorum.required,
    seats: world.nodes.map((m) => m.name),
    epoch: key.epoch,
    signed,
    publicKey: toHex(probe.keys.get(BASE_KEY)?.public.publicKey ?? new Uint8Array()),
    epochsHere: [...here.keys()],
    holders: present.length,
    /** Any `threshold` of the committee make the key, and no fewer. */
    made: makesKey(present, key.threshold),
    madeByFewer: makesKey(present, key.threshold - 1),
    sharesOfLeavers: Object.fromEntries([...gone].map(([epoch, points]) => [epoch, [...points.keys()]])),
    /** One share too few of the present epoch, filled up with what the leavers have: by the old size and by the new one. */
    madeWithLeavers: [3, 4].filter((size) => makesKey([...present.slice(0, key.threshold - 1), ...old], size)),
  }
}

async function step(change: SeatChange, threshold: number, lost?: PartyId): Promise<object> {
  await changeLock(world, driver, change)
  const between = await sign()
  const reshared = await renewKey(office, key, {
    how: lost === undefined ? 'reshare' : 'recover',
    tries: 3,
    threshold,
    ...(lost === undefined ? {} : { lost }),
  })
  await settle(world, driver)
  return { between, reshared, ...(await after()) }
}

const seen = new Map<string, unknown>()
async function story(): Promise<void> {
  await settle(world, driver)
  seen.set('start', await after())
  seen.set('grown', await step({ add: 2, required: 4 }, 4))
  seen.set('shrunk', await step({ remove: [2, 4], required: 3 }, 3))
  // Fire: disk and HSM of a machine are gone. Its seat goes to a new one with a new identity.
  const lost = world.node(5)
  lost.kill()
  lost.isGone = true
  lost.image.records.clear()
  seen.set('recovered', await step({ replace: [5] }, 3, 5))
  const leavers = world.leavers.filter((m) => m.alive).map((m) => m.name)
  const refused = leavers.map((name) => {
    const others = world.nodes.map((m) => m.name)
    const last = lines.findLastIndex((line) => line.includes(`start ${name}`))
    const said = lines.slice(last).filter((line) => line.includes('LOCK_MISMATCH') && line.includes(name))
    return { name, refused: said.length > 0, up: others.filter((other) => world.network.isUp(name, other)) }
  })
  seen.set('refused', refused)
  await checkInvariants(world, probe, await settle(world, driver))
}

probe.attach(driver)
probe.begin(world)
void driver.start()
for (const node of world.nodes) void node.start()
let ended = false
void story()
  .catch((error: unknown) => world.violate('the simulator works', error instanceof Error ? `${error.stack}` : String(error)))
  .finally(() => {
    ended = true
  })
if (!(await world.timeline.run(() => ended, UNTIL_MS))) world.violate('runs end', 'not at rest')
process.stdout.write(JSON.stringify({ ...Object.fromEntries(seen), violations: world.violations }, undefined, 1))
