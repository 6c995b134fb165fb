import { clusterContext, equalBytes, type PartyId } from '@conclave/core'
import type { KeyPublic } from '@conclave/wire'
import type { Office } from './actions.ts'
import type { Injector } from './inject.ts'
import { adopted, changeLock, moveNode } from './lock-move.ts'
import type { LockMove, Plan } from './plan.ts'
import type { Probe } from './probe.ts'
import { renewKey } from './renew.ts'
import type { SeatChange, World } from './world.ts'

const NODES_MAX = 7
const MOVED_MS = 120_000
const RENEW_TRIES = 3
const MEND_TRIES = 10
/** While somebody deviates it is soon clear that it does not work: a silent party takes its time. */
const BLOCKED_TRIES = 2
const MEND_PAUSE_MS = 5_000
const OUT_MS = 10_000

export interface LockStage {
  readonly world: World
  readonly office: Office
  readonly probe: Probe
}

const honestIn = (world: World, seats: readonly PartyId[]): number => seats.filter((j) => world.isHonest(j)).length

/** Whether a key was dealt to exactly those who have the seats now. */
const isHandedOn = (world: World, key: KeyPublic): boolean => equalBytes(key.clusterContext, clusterContext(world.lock))

/**
 * Whether somebody may go: careful operators wait until every key is dealt to the present members, and see to it that honest ones
 * can deal it on and that those who left and those who deviate cannot sign together.
 */
function mayLeave({ world, probe }: LockStage, party: PartyId): boolean {
  const rest = world.nodes.map((m) => m.index).filter((j) => j !== party)
  const deviants = rest.length - honestIn(world, rest)
  const { required } = world.lock.quorum
  if (rest.length < required) return false
  return [...probe.keys.values()].every(({ public: key }) => {
    const staying = key.parties.filter((j) => j !== party)
    return isHandedOn(world, key) && honestIn(world, staying) >= key.threshold && 1 + deviants < key.threshold
  })
}

/** The change that such a move is now, if there is one. */
function changeFor(stage: LockStage, what: LockMove): SeatChange | undefined {
  const { world, office } = stage
  const { required } = world.lock.quorum
  const seats = world.nodes.map((m) => m.index)
  const honest = honestIn(world, seats)
  const leaver = office.dice.shuffle(seats).find((j) => mayLeave(stage, j))
  switch (what) {
    case 'replace':
      return leaver === undefined ? undefined : { replace: [leaver] }
    case 'remove':
      return leaver === undefined ||
        honestIn(
          world,
          [...seats].filter((j) => j !== leaver),
        ) < required
        ? undefined
        : { remove: [leaver] }
    case 'add':
      return seats.length < NODES_MAX ? { add: 1 } : undefined
    case 'raise':
      return required < honest ? { required: required + 1 } : undefined
    case 'lower':
      return required - 1 >= 2 && seats.length - honest < required - 1 ? { required: required - 1 } : undefined
  }
}

/** Gives every key to the present members, once. @returns ids of those that were not. */
async function handOn({ world, office, probe }: LockStage, tries: number): Promise<readonly string[]> {
  const left: string[] = []
  for (const { public: key } of [...probe.keys.values()]) {
    if (isHandedOn(world, key)) continue
    const { keyId, publicKey, epoch, threshold, parties } = key
    const known = office.book.keys.get(keyId) ?? { keyId, publicKey, epoch, threshold, parties }
    office.book.keys.set(keyId, known)
    const { required } = world.lock.quorum
    const dealTo = (to: number) => renewKey(office, known, { how: 'reshare', tries, threshold: to })
    // A key that was made stronger than its lock asked for keeps its threshold: the nodes refuse a lower one.
    const isDone = (await dealTo(required)) || (known.threshold > required && (await dealTo(known.threshold)))
    if (!isDone && !isHandedOn(world, (probe.keys.get(keyId) as { readonly public: KeyPublic }).public)) left.push(keyId)
  }
  return left
}

/** One change at a time: the next lock must be signed by everybody who belongs to it. */
export class LockChanges {
  readonly #stage: LockStage
  readonly #plan: Plan
  readonly #injector: Injector
  #last: Promise<void> = Promise.resolve()

  constructor(stage: LockStage, plan: Plan, injector: Injector) {
    this.#stage = stage
    this.#plan = plan
    this.#injector = injector
  }

  /** Agrees on the next lock; the members go to it one after the other, some late; then every key is reshared. */
  change(what: LockMove): Promise<void> {
    this.#last = this.#last.then(() => this.#change(what))
    return this.#last
  }

  /** After the heal: every key comes to the present members, if need be without those who keep it from them. */
  async mend(): Promise<void> {
    const { world, office, probe } = this.#stage
    if (world.lock.version === 1) return
    const deviants = world.nodes.filter((m) => world.byzantine.has(m.name)).map((m) => m.index)
    let left = await this.#tryOn(deviants.length > 0 ? BLOCKED_TRIES : MEND_TRIES)
    if (left.length > 0 && deviants.length > 0) {
      world.trace.fault('lock-change', `put out ${deviants.join()}`)
      await changeLock(world, office.driver, { remove: deviants })
      for (const m of world.leavers) m.kill()
      probe.left()
      await world.timeline.pause(OUT_MS)
      left = await this.#tryOn(MEND_TRIES)
    }
    if (left.length > 0) world.violate('keys are handed on', `${left.join()} not reshared under version ${world.lock.version}`)
  }

  async #tryOn(tries: number): Promise<readonly string[]> {
    let left = await handOn(this.#stage, 1)
    for (let i = 1; i < tries && left.length > 0; i++) {
      await this.#stage.world.timeline.pause(MEND_PAUSE_MS)
      left = await handOn(this.#stage, 1)
    }
    return left
  }

  async #change(what: LockMove): Promise<void> {
    const { world, office, probe } = this.#stage
    const change = changeFor(this.#stage, what)
    world.trace.note(`lock move ${what}: ${JSON.stringify(change ?? 'may not be')}`)
    if (change === undefined) return
    world.trace.fault('lock-change', what)
    await world.agree(change)
    probe.left()
    for (const node of world.nodes) this.#later(() => moveNode(world, node, 100 + office.dice.float() * 2_000))
    for (const node of world.leavers) {
      if (office.dice.chance(0.5)) continue
      this.#later(() => {
        node.isGone = true
        node.kill()
      })
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#later(() => void office.driver.move().then(resolve))
    await promise
    const untilMs = Math.max(world.timeline.nowMs, this.#plan.healMs) + MOVED_MS
    if (!(await adopted(world, untilMs))) {
      const late = world.nodes.filter((m) => !m.hasAdopted(world.lock)).map((m) => m.name)
      world.violate('locks are adopted', `${late.join()} without version ${world.lock.version}`)
    }
    await handOn(this.#stage, RENEW_TRIES)
  }

  /** Soon, or for some late, but not long after the heal. */
  #later(act: () => void): void {
    const { world, office } = this.#stage
    const leftMs = this.#injector.healed ? 0 : Math.max(0, this.#plan.healMs - world.timeline.nowMs)
    world.timeline.after(office.dice.chance(0.2) ? office.dice.float() * leftMs : office.dice.float() * 3_000, act)
  }
}
