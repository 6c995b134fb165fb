import type { PartyId } from '@conclave/core'
import { DEVIATIONS, type Deviation } from './deviant.ts'
import { Dice } from './dice.ts'
import { PHASES, type Phase } from './sim-disk.ts'
import { CALM, type Weather } from './sim-link.ts'

/** The key that a snapshot begins with. */
export const BASE_KEY = 'base'
const LOCK_CHANCE = 0.15
const FAULTS_MAX = 4
const SLOW_MS_MAX = 2_500
const WEATHER_MAX: Weather = { delay: 0.15, loss: 0.04, duplicate: 0.1, reorder: 0.1 }

/** How the next lock differs from the one in force; who it concerns is decided when it happens, by what may be. */
export const LOCK_MOVES = ['replace', 'add', 'remove', 'raise', 'lower'] as const
export type LockMove = (typeof LOCK_MOVES)[number]

/** What the coordinator and the operators do. `index` names the item when one is dropped. */
export type Action =
  | { readonly kind: 'create'; readonly index: number; readonly atMs: number; readonly keyId: string }
  | { readonly kind: 'sign'; readonly index: number; readonly atMs: number; readonly keyId: string; readonly hasty: boolean }
  | { readonly kind: 'renew'; readonly index: number; readonly atMs: number; readonly keyId: string; readonly how: 'refresh' | 'reshare' }
  | { readonly kind: 'lock'; readonly index: number; readonly atMs: number; readonly what: LockMove }

export type Fault =
  | {
      readonly kind: 'link-drop'
      readonly index: number
      readonly atMs: number
      readonly forMs: number
      readonly a: PartyId
      readonly b: PartyId
    }
  | { readonly kind: 'partition'; readonly index: number; readonly atMs: number; readonly forMs: number; readonly side: readonly PartyId[] }
  | { readonly kind: 'kill'; readonly index: number; readonly atMs: number; readonly forMs: number; readonly party: PartyId }
  | {
      readonly kind: 'crash'
      readonly index: number
      readonly atMs: number
      readonly forMs: number
      readonly party: PartyId
      /** The how many-th write after `atMs`, from 1. */
      readonly write: number
      readonly phase: Phase
    }
  | {
      readonly kind: 'slow-disk' | 'slow-hsm'
      readonly index: number
      readonly atMs: number
      readonly forMs: number
      readonly party: PartyId
      readonly slowMs: number
    }
  | {
      readonly kind: 'crash-in-refill'
      readonly index: number
      readonly atMs: number
      readonly forMs: number
      readonly party: PartyId
      /** The how many-th message of a refill after `atMs`, from 1. */
      readonly message: number
    }
  | { readonly kind: 'lost-confirm'; readonly index: number; readonly atMs: number; readonly forMs: number; readonly party: PartyId }
  | { readonly kind: 'worker-death'; readonly index: number; readonly atMs: number; readonly forMs: number; readonly party: PartyId }

export interface Deviant {
  readonly index: number
  readonly party: PartyId
  readonly deviation: Deviation
}

/** Everything that is decided about a run before it begins. */
export interface Plan {
  readonly n: number
  readonly t: number
  /** Begins with empty disks: pair setups and all. Otherwise with the disks of a cluster that has a key. */
  readonly fresh: boolean
  /** When faults end and the network heals. */
  readonly healMs: number
  readonly weather: Weather
  readonly actions: readonly Action[]
  readonly faults: readonly Fault[]
  readonly deviants: readonly Deviant[]
}

const SIZES: readonly (readonly [number, number])[] = [
  [3, 2],
  [3, 2],
  [3, 2],
  [4, 2],
  [4, 3],
  [5, 3],
  [5, 3],
  [5, 2],
]
const LARGE: readonly [number, number] = [7, 4]

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i)

function planActions(dice: Dice, fresh: boolean, healMs: number): readonly Action[] {
  const keys = fresh ? [] : [BASE_KEY]
  const actions: Action[] = []
  for (const index of range(dice.between(1, 5))) {
    const atMs = 1_500 + dice.float() * healMs * 0.6
    const luck = dice.float()
    if (keys.length === 0 || luck < 0.25) {
      const keyId = `made-${index}`
      keys.push(keyId)
      actions.push({ kind: 'create', index, atMs: keys.length === 1 ? 500 : atMs, keyId })
    } else if (luck < 0.55) {
      actions.push({ kind: 'renew', index, atMs, keyId: dice.pick(keys), how: dice.chance(0.5) ? 'refresh' : 'reshare' })
    } else actions.push({ kind: 'sign', index, atMs, keyId: dice.pick(keys), hasty: dice.chance(0.3) })
  }
  return actions
}

/** In few plans: new pairs and a reshare of every key cost as much as the rest of a run. */
function planLocks(dice: Dice, healMs: number, first: number): readonly Action[] {
  if (!dice.chance(LOCK_CHANCE)) return []
  return range(dice.chance(0.7) ? 1 : 2).map((i) => {
    const what = dice.pick(LOCK_MOVES)
    return { kind: 'lock', index: first + i, atMs: 1_000 + dice.float() * healMs * 0.6, what }
  })
}

type FaultName = Fault['kind']
/** A crash at a write is what most is to be learned from. */
const FAULT_NAMES: readonly FaultName[] = [
  'link-drop',
  'partition',
  'kill',
  'crash',
  'crash',
  'crash',
  'slow-disk',
  'slow-hsm',
  'worker-death',
  'crash-in-refill',
  'lost-confirm',
]

function planFault(dice: Dice, n: number, when: { readonly index: number; readonly atMs: number; readonly forMs: number }): Fault {
  const kind = dice.pick(FAULT_NAMES)
  const [party, other, ...rest] = dice.shuffle(range(n).map((i) => i + 1)) as [PartyId, PartyId, ...PartyId[]]
  if (kind === 'link-drop') return { ...when, kind, a: party, b: other }
  if (kind === 'partition') return { ...when, kind, side: [party, ...rest].slice(0, dice.between(1, n - 1)) }
  if (kind === 'crash') return { ...when, kind, party, write: dice.between(1, 5), phase: dice.pick(PHASES) }
  if (kind === 'crash-in-refill') return { ...when, kind, party, message: dice.between(1, 4) }
  if (kind === 'slow-disk' || kind === 'slow-hsm') return { ...when, kind, party, slowMs: 20 + dice.float() ** 2 * SLOW_MS_MAX }
  return { ...when, kind, party }
}

/** Writes come with actions, so a crash at a write waits for one to begin. */
function planFaults(dice: Dice, n: number, healMs: number, actions: readonly Action[]): readonly Fault[] {
  return range(dice.between(0, FAULTS_MAX)).map((index) =>
    planFault(dice, n, {
      index,
      atMs: dice.chance(0.6) ? dice.pick(actions).atMs : dice.float() * healMs * 0.8,
      forMs: 200 + dice.float() ** 2 * healMs * 0.5,
    }),
  )
}

/** So few that an honest quorum is left, and never as many as could sign without it. */
const deviantsMax = (n: number, t: number): number => Math.min(t - 1, n - t)

function planDeviants(dice: Dice, n: number, t: number): readonly Deviant[] {
  if (dice.chance(0.4)) return []
  const parties = dice.shuffle(range(n).map((i) => i + 1)).slice(0, dice.between(1, deviantsMax(n, t)))
  return parties
    .flatMap((party) => range(dice.between(1, 2)).map(() => ({ party, deviation: dice.pick(DEVIATIONS) })))
    .map((d, index) => ({ ...d, index }))
}

export function planOf(seed: number): Plan {
  const dice = new Dice(`plan ${seed}`)
  const [n, t] = dice.chance(0.03) ? LARGE : dice.pick(SIZES)
  const fresh = dice.chance(n > 5 ? 0 : 0.15)
  const healMs = 8_000 + dice.float() * 22_000
  const blown = (max: number) => (dice.chance(0.4) ? dice.float() * max : 0)
  const { delay, loss, duplicate, reorder } = WEATHER_MAX
  const asked = planActions(dice.fork('actions'), fresh, healMs)
  const actions = [...asked, ...planLocks(dice.fork('locks'), healMs, asked.length)]
  return {
    ...{ n, t, fresh, healMs },
    weather: { delay: blown(delay), loss: blown(loss), duplicate: blown(duplicate), reorder: blown(reorder) },
    actions,
    faults: planFaults(dice.fork('faults'), n, healMs, actions),
    deviants: planDeviants(dice.fork('deviants'), n, t),
  }
}

/** Labels of everything that can be left out of a plan. */
export function partsOf(plan: Plan): readonly string[] {
  return [
    ...Object.entries(plan.weather).flatMap(([kind, rate]) => (rate > 0 ? [kind] : [])),
    ...plan.faults.map((f) => `fault${f.index}`),
    ...plan.deviants.map((d) => `deviant${d.index}`),
    ...plan.actions.map((a) => `action${a.index}`),
  ]
}

/** The plan without some of its parts; the rest of it stays as it is. */
export function without(plan: Plan, dropped: readonly string[]): Plan {
  const kept = (kind: string) => (item: { readonly index: number }) => !dropped.includes(`${kind}${item.index}`)
  const weather = Object.entries(plan.weather).filter(([kind]) => !dropped.includes(kind))
  return {
    ...plan,
    weather: { ...CALM, ...Object.fromEntries(weather) },
    actions: plan.actions.filter(kept('action')),
    faults: plan.faults.filter(kept('fault')),
    deviants: plan.deviants.filter(kept('deviant')),
  }
}
