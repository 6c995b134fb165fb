import { messageOf, type PartyId } from '@conclave/core'
import type { NodeStatus } from '@conclave/wire'
import { createKey, type Office, signWith } from './actions.ts'
import { turn } from './deviant.ts'
import { Driver } from './driver.ts'
import { Injector } from './inject.ts'
import { checkInvariants } from './invariants.ts'
import { KeysBook } from './keys-book.ts'
import { LockChanges } from './lock-action.ts'
import { type Action, BASE_KEY, type Plan } from './plan.ts'
import { Probe } from './probe.ts'
import { noteEpoch, renewKey, statusesOf } from './renew.ts'
import { settle } from './settle.ts'
import { snapshotOf } from './snapshot.ts'
import type { FaultKind } from './trace.ts'
import { type Violation, World } from './world.ts'

/** No run lives longer than this, in simulated time. */
const UNTIL_MS = 1_800_000
const TRIES = 4
/** After the heal nothing is in the way, but an attempt may meet a pair that is just being agreed on. */
const FINAL_TRIES = 4

export interface Outcome {
  readonly seed: number
  readonly violations: readonly Violation[]
  /** Hash of the trace. */
  readonly trace: string
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>
  readonly events: number
  readonly simulatedMs: number
  /** Signatures that the coordinator got. */
  readonly signatures: number
  /** Correlations that honest nodes used for signatures. */
  readonly correlations: number
}

interface Stage {
  readonly world: World
  readonly office: Office
  readonly probe: Probe
  readonly locks: LockChanges
  signatures: number
}

async function act(stage: Stage, action: Action): Promise<void> {
  const { world, office } = stage
  await world.timeline.pause(action.atMs)
  if (action.kind === 'lock') return stage.locks.change(action.what)
  const parties = office.driver.lock.nodes.map((m) => m.index)
  if (action.kind === 'create') {
    await createKey(office, action.keyId, { parties, threshold: office.driver.lock.quorum.required }, TRIES)
    return
  }
  const key = office.book.keys.get(action.keyId)
  if (key === undefined) return
  if (action.kind === 'renew') {
    await renewKey(office, key, { how: action.how, tries: TRIES })
    return
  }
  noteEpoch(key, await statusesOf(office, parties))
  const signed = await signWith(office, key, { among: key.parties, tries: TRIES, hasty: action.hasty })
  if (signed !== undefined) stage.signatures++
}

/** After the heal: every key that exists signs with honest parties only, and a cluster without deviants makes a new one. */
async function prove(stage: Stage, plan: Plan): Promise<void> {
  const { world, office, probe } = stage
  for (const { public: key } of probe.keys.values()) {
    const { keyId, publicKey, epoch, threshold, parties } = key
    const among = office.dice.shuffle(parties.filter((j) => world.isHonest(j))).slice(0, threshold)
    const known = { keyId, publicKey, epoch, threshold, parties }
    const signed = await signWith(office, known, { among: among.sort((a, b) => a - b), tries: FINAL_TRIES, hasty: false })
    if (signed === undefined) world.violate('an honest quorum signs', `parties ${among.join()} did not sign with ${keyId}`)
    else stage.signatures++
  }
  if (world.honest.length < world.nodes.length || !plan.fresh) return
  const all = world.lock.nodes.map((m) => m.index)
  const made = await createKey(office, 'last', { parties: all, threshold: world.lock.quorum.required }, FINAL_TRIES)
  if (made === undefined) world.violate('honest nodes make keys', 'no new key after the heal')
}

/** How often nodes are asked again because one of them has banned somebody meanwhile. */
const WORDS_MAX = 20

/** What honest nodes say at the end, with no ban between question and answer: deviants go on to earn them. */
async function lastWords({ world, office, probe }: Stage): Promise<ReadonlyMap<PartyId, NodeStatus>> {
  const bans = () => world.honest.reduce((sum, node) => sum + probe.burnedBy(node).size, 0)
  for (let i = 0; ; i++) {
    const before = bans()
    const statuses = await settle(world, office.driver)
    if (bans() === before || i === WORDS_MAX) return statuses
  }
}

async function play(stage: Stage, plan: Plan, injector: Injector): Promise<void> {
  const { world, office, probe } = stage
  const { timeline } = world
  await Promise.all(plan.actions.map((a) => act(stage, a)))
  while (!injector.healed) await timeline.pause(500)
  await stage.locks.mend()
  await settle(world, office.driver)
  await prove(stage, plan)
  // What the last signature left to be written.
  await timeline.pause(2_000)
  await checkInvariants(world, probe, await lastWords(stage))
}

/** Runs a plan from a seed: the same plan and seed always give the same outcome, trace included. */
export async function run(seed: number, plan: Plan, print?: (line: string) => void): Promise<Outcome> {
  const snapshot = plan.fresh ? undefined : await snapshotOf(plan.n, plan.t)
  const { n, t } = plan
  const world = await World.create({
    ...{ seed: `run ${seed}`, n, t },
    ...(snapshot === undefined ? {} : { images: snapshot.images }),
    ...(print === undefined ? {} : { print }),
  })
  const book = new KeysBook()
  const driver = new Driver(world)
  const probe = new Probe(world, book)
  probe.attach(driver)
  const office: Office = { driver, book, dice: world.dice.fork('driver') }
  if (snapshot !== undefined) {
    const { keyId, publicKey, epoch } = snapshot.key
    const parties = world.lock.nodes.map((m) => m.index)
    book.keys.set(BASE_KEY, { keyId, publicKey, epoch, threshold: t, parties })
    probe.begin(world)
  }
  for (const party of new Set(plan.deviants.map((d) => d.party))) {
    turn(
      world,
      party,
      plan.deviants.filter((d) => d.party === party).map((d) => d.deviation),
    )
  }
  const injector = new Injector(world, plan)
  const locks = new LockChanges({ world, office, probe }, plan, injector)
  const stage: Stage = { world, office, probe, locks, signatures: 0 }
  const stray = (error: unknown) => world.violate('nothing is thrown astray', messageOf(error))
  process.on('unhandledRejection', stray)
  let ended = false
  try {
    void driver.start()
    for (const node of world.nodes) void node.start()
    const script = play(stage, plan, injector).catch((error: unknown) => {
      world.violate('the simulator works', error instanceof Error ? `${error.stack}` : String(error))
    })
    void script.finally(() => {
      ended = true
    })
    const inTime = await world.timeline.run(() => ended, UNTIL_MS)
    if (!inTime) world.violate('runs end', `not at rest after ${UNTIL_MS} ms`)
  } finally {
    process.off('unhandledRejection', stray)
    for (const node of world.machines.values()) node.kill()
  }
  const { faults } = world.trace
  const simulatedMs = Math.round(world.timeline.nowMs)
  const { events } = world.timeline
  const counts = { signatures: stage.signatures, correlations: probe.pools.used }
  return { seed, violations: world.violations, trace: world.trace.digest(), faults, events, simulatedMs, ...counts }
}
