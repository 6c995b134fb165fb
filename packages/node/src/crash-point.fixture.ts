import type { NodeParts } from './node.ts'

/** What a node does to the world: durable writes, seals, signatures, frames. */
export type Deed = 'apply' | 'seal' | 'sign' | 'send'

export interface CrashPlan {
  /** The node dies at the deed of this number, from 1. */
  readonly at: number
  /** Whether that deed still happens: the difference between before and after a write. */
  readonly after: boolean
}

/**
 * Makes one deed of a node the last one: after it nothing that the node does reaches disk, HSM or network, as if the process had
 * been killed there. It counts only once armed, so that a node can first get ready.
 */
export class CrashPoint {
  readonly crashed: Promise<Deed>
  readonly deeds: Deed[] = []
  #plan: CrashPlan | undefined
  #armed = false
  #dead = false
  #resolve: (deed: Deed) => void = () => undefined

  constructor() {
    this.crashed = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  /** Without a plan it only counts. */
  arm(plan?: CrashPlan): void {
    this.#plan = plan
    this.#armed = true
  }

  disarm(): void {
    this.#armed = false
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
        identity: { key: vault.identity.key, sign: (message) => this.#do('sign', () => vault.identity.sign(message)) },
      },
      transport: {
        ...{ self: transport.self, links: () => transport.links(), addresses: () => transport.addresses() },
        ...{ start: (events) => transport.start(events), stop: () => transport.stop() },
        send: (to, frame) => {
          if (this.#lives('send')) transport.send(to, frame)
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
  #lives(deed: Deed): boolean {
    if (this.#dead) return false
    if (!this.#armed) return true
    this.deeds.push(deed)
    if (this.deeds.length !== this.#plan?.at) return true
    this.#dead = true
    this.#resolve(deed)
    return this.#plan.after
  }
}
