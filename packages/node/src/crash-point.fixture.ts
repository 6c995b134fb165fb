import { decode, Frame } from '@conclave/wire'
import type { NodeParts } from './node-parts.ts'

/** What a node does to the world: durable writes, seals, identity signatures, session frames, answers. Gossip does not count. */
export type Deed = 'apply' | 'seal' | 'sign' | 'send' | 'answer'

export interface CrashPlan {
  readonly deed: Deed
  /** The node dies at the deed of this number, from 1, counted from when the plan was armed. */
  readonly at: number
  /** Whether that deed still happens: the difference between before and after a write. */
  readonly after: boolean
}

/**
 * Makes one deed of a node the last one: after it nothing that the node does reaches disk, HSM or network, as if the process had
 * been killed there. It counts only once armed, so that a node can first get ready.
 */
export class CrashPoint {
  readonly crashed: Promise<void>
  #plan: CrashPlan | undefined
  #count = 0
  #dead = false
  #resolve: () => void = () => undefined

  constructor() {
    this.crashed = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  arm(plan: CrashPlan): void {
    this.#plan = plan
  }

  readonly rig = (parts: NodeParts): NodeParts => {
    const { store, vault, transport } = parts
    return {
      ...parts,
      store: new Proxy(store, {
        get: (target, name) => {
          const member: unknown = Reflect.get(target, name, target)
          if (typeof member !== 'function') return member
          const bound = member.bind(target) as typeof target.apply
          return name === 'apply' ? (...args: Parameters<typeof target.apply>) => this.#do('apply', () => bound(...args)) : bound
        },
      }),
      vault: {
        ...vault,
        seal: (context, secret) => this.#do('seal', () => vault.seal(context, secret)),
        checkpointSigner: vault.checkpointSigner,
        identity: { key: vault.identity.key, sign: (message) => this.#do('sign', () => vault.identity.sign(message)) },
      },
      transport: {
        ...{ self: transport.self, links: () => transport.links(), addresses: () => transport.addresses() },
        ...{ start: (events) => transport.start(events), stop: () => transport.stop() },
        send: (to, frame) => {
          if (this.#lives(sending(frame))) transport.send(to, frame)
        },
      },
    }
  }

  /** A dead process answers nobody, not even with a failure. */
  async #do<T>(deed: Deed, act: () => Promise<T>): Promise<T> {
    const never = new Promise<T>(() => undefined)
    if (!this.#lives(deed)) return never
    const result = await act()
    return this.#dead ? never : result
  }

  /** Counts a deed; says whether it happens. */
  #lives(deed: Deed | undefined): boolean {
    if (this.#dead) return false
    const plan = this.#plan
    if (plan === undefined || plan.deed !== deed || ++this.#count !== plan.at) return true
    this.#dead = true
    this.#resolve()
    return plan.after
  }
}

function sending(frame: Uint8Array): Deed | undefined {
  const { body } = decode(Frame, frame)
  return 'session' in body ? 'send' : 'response' in body ? 'answer' : undefined
}
