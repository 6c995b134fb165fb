import type { PartyId } from '@conclave/core'

interface Session {
  readonly parties: readonly PartyId[]
  readonly present: Set<PartyId>
  readonly ended: PromiseWithResolvers<{ readonly missing: PartyId } | undefined>
}

/** Stands for a protocol session: it completes when every party has come, and aborts when one of them dies. */
export class FakeSessions {
  readonly #sessions = new Map<string, Session>()

  /** @returns undefined when all came, or who died first. */
  async join(name: string, parties: readonly PartyId[], self: PartyId): Promise<{ readonly missing: PartyId } | undefined> {
    const session = this.#session(name, parties)
    session.present.add(self)
    if (session.present.size === parties.length) session.ended.resolve(undefined)
    return await session.ended.promise
  }

  /** A party says that it will not come. */
  refuse(name: string, parties: readonly PartyId[], self: PartyId): void {
    this.#session(name, parties).ended.resolve({ missing: self })
  }

  died(node: PartyId): void {
    for (const { parties, ended } of this.#sessions.values()) if (parties.includes(node)) ended.resolve({ missing: node })
  }

  #session(name: string, parties: readonly PartyId[]): Session {
    const session = this.#sessions.get(name) ?? { parties, present: new Set(), ended: Promise.withResolvers() }
    this.#sessions.set(name, session)
    return session
  }
}
