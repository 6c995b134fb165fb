import type { PartyId } from '@conclave/core'
import { toHex } from '@conclave/core'
import { pairId } from '@conclave/mpc'
import type { FromWorker, ToWorker } from '@conclave/node'
import { decode, type NodeStatus, PairPublic } from '@conclave/wire'
import type { SimNode } from './sim-node.ts'
import type { World } from './world.ts'

type Job = Extract<ToWorker, { readonly type: 'start' }>['job']
type SignJob = Extract<Job, { readonly kind: 'sign' }>
type Entries = SignJob['offers']

/** Where an entry of a pool came from. */
interface Origin {
  /** Which life of the process, and which state of the pair. */
  readonly life: number
  readonly pairId: string
}

interface Signing {
  /** Ids of the pair states in use, by peer. */
  readonly pairIds: ReadonlyMap<PartyId, string>
}

const idOf = (pair: Uint8Array): string => {
  try {
    return toHex(pairId(decode(PairPublic, pair)))
  } catch {
    // Tests of the invariants begin sessions with records that are none.
    return ''
  }
}

/** Follows every entry of the correlation pools of honest nodes: where it was made, and in which session it was used. */
export class PoolBook {
  /** Entries that were used, at both ends each. */
  used = 0
  readonly #world: World
  /** By node and name. */
  readonly #origins = new Map<string, Origin>()
  /** By node and session. */
  readonly #signings = new Map<string, Signing>()
  readonly #refills = new Map<string, string>()
  /** In which session a name was used, by any honest node. */
  readonly #sessions = new Map<string, string>()
  readonly #spent = new Set<string>()

  constructor(world: World) {
    this.#world = world
  }

  saw(node: SimNode, message: ToWorker | FromWorker): void {
    const session = `${node.name} ${message.id}`
    if (message.type === 'start') this.#started(node, session, message.job)
    else if (message.type === 'taken') this.#use(node, session, message.found)
    else if (message.type === 'done') this.#made(node, session, message.result)
  }

  #started(node: SimNode, session: string, job: Job): void {
    if (job.kind === 'correlate') this.#refills.set(session, idOf(job.pair.public))
    if (job.kind !== 'sign') return
    this.#signings.set(session, { pairIds: new Map([...job.pairs].map(([j, { public: pair }]) => [j, idOf(pair)])) })
    this.#use(node, session, job.offers)
  }

  #made(node: SimNode, session: string, result: Extract<FromWorker, { readonly type: 'done' }>['result']): void {
    const of = this.#refills.get(session)
    if (of === undefined || !Array.isArray(result)) return
    for (const entry of result) {
      if (!('name' in entry)) continue
      const name = `${node.name} ${toHex(entry.name)}`
      if (this.#origins.has(name)) this.#world.violate('no correlation is used twice', `${node.name} made ${toHex(entry.name)} twice`)
      this.#origins.set(name, { life: node.life, pairId: of })
    }
  }

  #use(node: SimNode, session: string, entries: Entries): void {
    const signing = this.#signings.get(session)
    for (const [peer, list] of entries) {
      for (const { name } of list) {
        const hex = toHex(name)
        const own = `${node.name} ${hex}`
        this.used++
        if (this.#spent.has(own)) this.#world.violate('no correlation is used twice', `${node.name} used ${hex} twice`)
        this.#spent.add(own)
        const origin = this.#origins.get(own)
        if (origin?.life !== node.life || origin.pairId !== signing?.pairIds.get(peer))
          this.#world.violate('pools live no longer than their pairs', `${node.name} used ${hex}, of another life or pair state`)
        const id = session.split(' ')[1] as string
        const before = this.#sessions.get(hex) ?? id
        if (before !== id) this.#world.violate('no correlation is used twice', `${hex} was used in ${before} and in ${id}`)
        this.#sessions.set(hex, id)
      }
    }
  }
}

/** A pair that does not serve has no stock, and no stock is above its mark. */
export function poolsAreInOrder(name: string, { pairs }: NodeStatus, high: number): string | undefined {
  const wrong = pairs.find(({ state, stock }) => stock > (state === 'ready' ? high : 0))
  return wrong === undefined
    ? undefined
    : `${name} has ${wrong.stock} correlations with party ${wrong.peer}, and the pair is ${wrong.state}`
}
