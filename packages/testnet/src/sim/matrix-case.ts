import type { PartyId } from '@conclave/core'
import { decode, StoredKey } from '@conclave/wire'
import { createKey, type Office, signWith } from './actions.ts'
import { Driver } from './driver.ts'
import { checkInvariants } from './invariants.ts'
import { KeysBook, type KnownKey } from './keys-book.ts'
import { changeLock } from './lock-move.ts'
import { BASE_KEY } from './plan.ts'
import { Probe } from './probe.ts'
import { renewKey } from './renew.ts'
import { settle } from './settle.ts'
import type { Phase } from './sim-disk.ts'
import type { SimNode } from './sim-node.ts'
import { snapshotOf } from './snapshot.ts'
import { World } from './world.ts'

const DOWN_MS = 3_000
const UNTIL_MS = 900_000
/** The last party to learn of a result still writes after the coordinator has its answers. */
const REST_MS = 10_000
const NEW_KEY = 'new'
/** Without its share a node is not whole: the coordinator asks until it is. */
const RECOVER_TRIES = 6

/** The last two are under a next lock: one that adds two nodes and asks for one signer more, and one with another machine in a seat. */
export const PROTOCOLS = ['dkg', 'sign', 'refresh', 'reshare', 'recover', 'grow', 'replace'] as const
export type MatrixProtocol = (typeof PROTOCOLS)[number]

export interface Crash {
  readonly party: PartyId
  /** The how many-th write of the protocol at this party, from 1. */
  readonly write: number
  readonly phase: Phase
}

export interface CaseResult {
  /** Which state every node ended with. */
  readonly outcome: 'old' | 'new' | 'bad'
  readonly what: string
  /** Writes of each party while the protocol ran. */
  readonly writes: ReadonlyMap<PartyId, number>
}

/** How many of `n` sign. */
export const quorumOf = (n: number): number => Math.floor(n / 2) + 1

async function perform(protocol: MatrixProtocol, office: Office, base: KnownKey): Promise<void> {
  const { driver } = office
  const { world } = driver
  const { threshold, parties } = base
  const last = parties.length
  if (protocol === 'dkg') await createKey(office, NEW_KEY, { parties, threshold }, 1)
  else if (protocol === 'sign') await signWith(office, base, { among: parties.slice(0, threshold), tries: 1, hasty: false })
  else if (protocol === 'recover') await renewKey(office, base, { how: protocol, tries: RECOVER_TRIES, lost: last })
  else if (protocol === 'grow') {
    await changeLock(world, driver, { add: 2, required: threshold + 1 })
    // One that died at its lock takes part in what follows: only a death in the reshare itself may keep it from coming true.
    await world.timeline.pause(REST_MS)
    await renewKey(office, base, { how: 'reshare', tries: 1 })
  } else if (protocol === 'replace') {
    await changeLock(world, driver, { replace: [last] })
    await renewKey(office, base, { how: 'recover', tries: RECOVER_TRIES, lost: last })
  } else await renewKey(office, base, { how: protocol, tries: 1 })
}

/** The state that all nodes have in common, or why there is none. */
function outcomeOf(world: World, protocol: MatrixProtocol, base: readonly PartyId[]): Pick<CaseResult, 'outcome' | 'what'> {
  const keyId = protocol === 'dkg' ? NEW_KEY : BASE_KEY
  const held = world.nodes.map((node) => {
    const epochs = node.image.list('key').flatMap(({ value }) => {
      const { certificate } = decode(StoredKey, value)
      return certificate.key.keyId === keyId ? [certificate.key.epoch] : []
    })
    return epochs.length === 0 ? undefined : Math.max(...epochs)
  })
  const what = `${keyId} at ${held.map((epoch, i) => `${world.nodes[i]?.name}: ${epoch ?? 'none'}`).join(', ')}`
  const [violation] = world.violations
  if (violation !== undefined) return { outcome: 'bad', what: `${violation.invariant}: ${violation.what}` }
  const without = world.nodes.filter((node) => !node.hasAdopted(world.lock)).map((node) => node.name)
  if (without.length > 0) return { outcome: 'bad', what: `${without.join()} without the lock` }
  const old = world.nodes.map(({ index }) => (protocol !== 'dkg' && base.includes(index) ? 0 : undefined))
  if (protocol !== 'sign' && held.every((epoch, i) => epoch === old[i])) return { outcome: 'old', what }
  return { outcome: new Set(held).size === 1 ? 'new' : 'bad', what }
}

/** The machine that loses what it has: its keys, or everything there is of it. */
function lose(world: World, protocol: MatrixProtocol): void {
  const last = world.nodes.at(-1) as SimNode
  if (protocol === 'recover') last.image.forget('key')
  else if (protocol === 'replace') last.isGone = true
}

/** A signature with every key, by a quorum to which `first` belongs if it can: its share must be good. */
async function signAll(office: Office, probe: Probe, first: PartyId): Promise<void> {
  for (const { public: key } of probe.keys.values()) {
    const { keyId, publicKey, epoch, threshold, parties } = key
    const at = Math.max(0, parties.indexOf(first))
    const among = [...parties.slice(at), ...parties.slice(0, at)].slice(0, threshold).sort((a, b) => a - b)
    const signed = await signWith(office, { keyId, publicKey, epoch, threshold, parties }, { among, tries: 3, hasty: false })
    if (signed === undefined) office.driver.world.violate('a signature works afterwards', keyId)
  }
}

/**
 * Runs one protocol in a calm cluster, has one node die at one of its writes and come back, and looks at what is left: the old
 * state or the new one at every node, and a signature afterwards with every key.
 */
export async function runCase(protocol: MatrixProtocol, n: number, crash?: Crash): Promise<CaseResult> {
  const threshold = quorumOf(n)
  const snapshot = await snapshotOf(n, threshold)
  const label = crash === undefined ? 'calm' : `${crash.party} ${crash.write} ${crash.phase}`
  const world = await World.create({ seed: `matrix ${protocol} ${label}`, n, t: threshold, images: snapshot.images })
  const book = new KeysBook()
  const driver = new Driver(world)
  const probe = new Probe(world, book)
  probe.begin(world)
  probe.attach(driver)
  const office: Office = { driver, book, dice: world.dice.fork('driver') }
  const base: KnownKey = { ...snapshot.key, threshold, parties: world.lock.nodes.map((m) => m.index) }
  const before = base.parties
  const writes = new Map<PartyId, number>()
  let isArmed = false
  world.watch({
    wrote: (node, _write, phase) => {
      if (!isArmed) return
      if (phase === 'before') writes.set(node.index, (writes.get(node.index) ?? 0) + 1)
      if (crash?.party !== node.index || crash.phase !== phase || writes.get(node.index) !== crash.write || !node.alive) return
      node.kill()
      world.timeline.after(DOWN_MS, () => void node.start())
    },
  })
  let ended = false
  const script = async () => {
    // A party that lost its share keeps everybody else from nothing, but it is not at rest.
    if (protocol === 'recover' || protocol === 'replace') await world.timeline.pause(REST_MS)
    else await settle(world, driver)
    isArmed = true
    await perform(protocol, office, base)
    await world.timeline.pause(REST_MS)
    isArmed = false
    const statuses = await settle(world, driver)
    await signAll(office, probe, crash?.party ?? 1)
    await checkInvariants(world, probe, statuses)
  }
  lose(world, protocol)
  void driver.start()
  for (const node of world.nodes) void node.start()
  void script()
    .catch((error: unknown) => world.violate('the simulator works', String(error)))
    .finally(() => {
      ended = true
    })
  if (!(await world.timeline.run(() => ended, UNTIL_MS))) world.violate('runs end', 'not at rest')
  for (const node of world.machines.values()) node.kill()
  return { ...outcomeOf(world, protocol, before), writes }
}
