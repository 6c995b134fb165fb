import type { PartyId } from '@conclave/core'
import { decode, StoredKey } from '@conclave/wire'
import { createKey, type Office, signWith } from './actions.ts'
import { Driver } from './driver.ts'
import { checkInvariants } from './invariants.ts'
import { KeysBook, type KnownKey } from './keys-book.ts'
import { BASE_KEY } from './plan.ts'
import { Probe } from './probe.ts'
import { renewKey } from './renew.ts'
import { settle } from './settle.ts'
import type { Phase } from './sim-disk.ts'
import { snapshotOf } from './snapshot.ts'
import { World } from './world.ts'

const N = 3
const T = 2
const DOWN_MS = 3_000
const UNTIL_MS = 900_000
/** The last party to learn of a result still writes after the coordinator has its answers. */
const REST_MS = 10_000
const NEW_KEY = 'new'
/** Without its share a node is not whole: the coordinator asks until it is. */
const RECOVER_TRIES = 6

export const PROTOCOLS = ['dkg', 'sign', 'refresh', 'reshare', 'recover'] as const
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

async function perform(protocol: MatrixProtocol, office: Office, base: KnownKey): Promise<void> {
  const parties = office.driver.world.lock.nodes.map((m) => m.index)
  if (protocol === 'dkg') await createKey(office, NEW_KEY, { parties, threshold: T }, 1)
  else if (protocol === 'sign') await signWith(office, base, { among: [1, 2], tries: 1, hasty: false })
  else if (protocol === 'recover') await renewKey(office, base, { how: protocol, tries: RECOVER_TRIES, lost: N })
  else await renewKey(office, base, { how: protocol, tries: 1 })
}

/** The state that all nodes have in common, or why there is none. */
function outcomeOf(world: World, protocol: MatrixProtocol): Pick<CaseResult, 'outcome' | 'what'> {
  const keyId = protocol === 'dkg' ? NEW_KEY : BASE_KEY
  const held = world.nodes.map((node) => {
    const epochs = node.image.list('key').flatMap(({ value }) => {
      const { certificate } = decode(StoredKey, value)
      return certificate.key.keyId === keyId ? [certificate.key.epoch] : []
    })
    return epochs.length === 0 ? undefined : Math.max(...epochs)
  })
  const what = `${keyId} at ${held.map((epoch, i) => `n${i + 1}: ${epoch ?? 'none'}`).join(', ')}`
  const [violation] = world.violations
  if (violation !== undefined) return { outcome: 'bad', what: `${violation.invariant}: ${violation.what}` }
  if (new Set(held).size !== 1) return { outcome: 'bad', what }
  const isOld = protocol === 'dkg' ? held[0] === undefined : protocol !== 'sign' && held[0] === 0
  return { outcome: isOld ? 'old' : 'new', what }
}

/**
 * Runs one protocol in a calm cluster, has one node die at one of its writes and come back, and looks at what is left: the old
 * state or the new one at every node, and a signature afterwards with every key.
 */
export async function runCase(protocol: MatrixProtocol, crash?: Crash): Promise<CaseResult> {
  const snapshot = await snapshotOf(N, T)
  const label = crash === undefined ? 'calm' : `${crash.party} ${crash.write} ${crash.phase}`
  const world = await World.create({ seed: `matrix ${protocol} ${label}`, n: N, t: T, images: snapshot.images })
  const book = new KeysBook()
  const driver = new Driver(world)
  const probe = new Probe(world, book)
  probe.begin(world)
  probe.attach(driver)
  const office: Office = { driver, book, dice: world.dice.fork('driver') }
  const base: KnownKey = { ...snapshot.key, threshold: T, parties: world.lock.nodes.map((m) => m.index) }
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
    if (protocol === 'recover') await world.timeline.pause(REST_MS)
    else await settle(world, driver)
    isArmed = true
    await perform(protocol, office, base)
    await world.timeline.pause(REST_MS)
    isArmed = false
    const statuses = await settle(world, driver)
    for (const { public: key } of probe.keys.values()) {
      const { keyId, publicKey, epoch, threshold, parties } = key
      // The node that died is one of them: its share must be good.
      const among = [crash?.party ?? 1, ((crash?.party ?? 1) % N) + 1].sort((a, b) => a - b)
      const signed = await signWith(office, { keyId, publicKey, epoch, threshold, parties }, { among, tries: 3, hasty: false })
      if (signed === undefined) world.violate('a signature works afterwards', keyId)
    }
    await checkInvariants(world, probe, statuses)
  }
  if (protocol === 'recover') world.node(N).image.forget('key')
  void driver.start()
  for (const node of world.nodes) void node.start()
  void script()
    .catch((error: unknown) => world.violate('the simulator works', String(error)))
    .finally(() => {
      ended = true
    })
  if (!(await world.timeline.run(() => ended, UNTIL_MS))) world.violate('runs end', 'not at rest')
  for (const node of world.nodes) node.kill()
  return { ...outcomeOf(world, protocol), writes }
}
