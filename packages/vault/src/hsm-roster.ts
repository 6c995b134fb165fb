import { type Clock, InvalidArgument, type VaultError } from '@conclave/core'
import type { Hsm } from './hsm.ts'
import { WatchedHsm } from './hsm-watch.ts'
import type { HsmControl, HsmHealth, SealContext } from './key-vault.ts'
import { parseRecord, type Recipient } from './record.ts'
import type { VaultEvent } from './vault-events.ts'

export interface RosterParts {
  /** In order of priority. */
  readonly hsms: readonly Hsm[]
  readonly clock: Clock
  /** Milliseconds from any fixed point, for latencies. */
  readonly elapsedMs: () => number
  /** How some of the HSMs have failed already. */
  readonly failures?: ReadonlyMap<Hsm, VaultError>
}

type RecipientName = Pick<Recipient, 'name' | 'tokenSerial'>

/** The HSMs of a node, each watched: who serves, who is missed, and who is told of it. */
export class HsmRoster {
  /** In order of priority. */
  readonly hsms: readonly WatchedHsm[]
  readonly #listeners = new Set<(event: VaultEvent) => void>()
  readonly #missedSeals = new Map<Hsm, number>()
  /** By record, as long as somebody holds it: nothing changes its bytes. */
  readonly #recipients = new WeakMap<Uint8Array, readonly RecipientName[]>()
  /** Who opened the last record that it could have been the turn of. */
  #serving: WatchedHsm | undefined

  constructor({ hsms, clock, elapsedMs, failures }: RosterParts) {
    const notify = (event: VaultEvent) => this.#notify(event)
    this.hsms = hsms.map((hsm) => new WatchedHsm({ hsm, clock, elapsedMs, notify, failure: failures?.get(hsm) }))
    this.#serving = this.hsms[0]
  }

  watch(listener: (event: VaultEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Notes who has opened a record. */
  opened(by: WatchedHsm): void {
    const before = this.#serving
    if (before === undefined || by === before) return
    const isLower = this.hsms.indexOf(by) > this.hsms.indexOf(before)
    // A record may lack a wrap for an HSM that is well: that is no failover.
    if (isLower && before.standing === 'up') return
    const code = before.observed.lastCode ?? 'UNKNOWN'
    if (isLower) this.#notify({ kind: 'hsm.failover', details: { from: before.name, to: by.name, code } })
    this.#serving = by
  }

  /** Notes who did not become a recipient of a record, and why. */
  missed({ recordType, keyId, epoch }: SealContext, failures: ReadonlyMap<WatchedHsm, VaultError>): void {
    for (const [hsm, { code }] of failures) {
      this.#missedSeals.set(hsm, (this.#missedSeals.get(hsm) ?? 0) + 1)
      this.#notify({ kind: 'record.short', details: { hsm: hsm.name, code, recordType, keyId, epoch } })
    }
  }

  missingFrom(record: Uint8Array): readonly string[] {
    const recipients =
      this.#recipients.get(record) ?? parseRecord(record).recipients.map(({ name, tokenSerial }) => ({ name, tokenSerial }))
    this.#recipients.set(record, recipients)
    // A token that took over the name of another is another HSM; one that never came up is known by name only.
    const isFor = (hsm: WatchedHsm) => (r: RecipientName) =>
      hsm.known === undefined ? r.name === hsm.name : r.tokenSerial === hsm.known.tokenSerial
    return this.hsms.filter((hsm) => !recipients.some(isFor(hsm))).map((hsm) => hsm.name)
  }

  health(): Promise<readonly HsmHealth[]> {
    return Promise.all(this.hsms.map((hsm) => this.#after(hsm, hsm.standing === 'away' ? Promise.resolve() : hsm.check())))
  }

  /** @throws {InvalidArgument} UNKNOWN_HSM */
  control(name: string): HsmControl {
    const hsm = this.hsms.find((h) => h.name === name)
    if (hsm === undefined) {
      const known = this.hsms.map((h) => h.name).join(', ')
      throw new InvalidArgument('UNKNOWN_HSM', `this node has no HSM called "${name}": it has ${known}`)
    }
    return {
      pinSocket: hsm.pinSocket,
      takeOut: () => hsm.takeOut(),
      putBack: () => this.#after(hsm, hsm.putBack()),
      retry: () => this.#after(hsm, hsm.retry()),
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.hsms.map((hsm) => hsm.close()))
  }

  async #after(hsm: WatchedHsm, done: Promise<void>): Promise<HsmHealth> {
    await done
    // Which key seals is asked once; when that fails, what is observed tells.
    if (hsm.observed.state === 'up' && hsm.sealing === undefined) await hsm.describe().catch(() => undefined)
    const { state, lastCode, ...seen } = hsm.observed
    const ok = state === 'up'
    const missedSeals = this.#missedSeals.get(hsm) ?? 0
    return { ...seen, name: hsm.name, ok, state, code: ok ? undefined : lastCode, lastCode, missedSeals, key: ok ? hsm.sealing : undefined }
  }

  #notify(event: VaultEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}
