import { randomBytes } from 'node:crypto'
import { type Clock, type ClusterLock, ConclaveError, codeOf, type Journal, messageOf, type NodeMember, toHex } from '@conclave/core'
import { decodeDrill, encodeDrill } from '@conclave/policy'
import type { Logger } from '@conclave/transport'
import type { HsmHealth, KeyVault, RecordShelf, SealContext } from '@conclave/vault'
import type { KeyPublic } from '@conclave/wire'
import type { KeyStore } from '../store/key-store.ts'
import { type DrillBody, drillBody, type HsmDrillReport, signReport } from './drill-report.ts'

/** After which the HSM is put back, whatever has become of whoever began the drill. */
export const DRILL_MS = 180_000

export interface HsmDrillParts {
  readonly self: NodeMember
  readonly lock: ClusterLock
  readonly vault: KeyVault
  readonly keys: KeyStore
  readonly shelf: RecordShelf
  readonly journal: Journal
  readonly clock: Clock
  readonly log: Logger
}

/** A signature that this node has taken part in. */
export interface DrillSignature {
  readonly requestId: Uint8Array
  readonly key: KeyPublic
  readonly signers: readonly number[]
  readonly items: readonly { readonly digest: Uint8Array; readonly signature: Uint8Array }[]
}

/** What whoever runs the drill has to have signed, and until when. */
export interface BegunDrill {
  readonly drillId: string
  /** Payload of type drill, 0x and hexadecimal. */
  readonly payload: string
  readonly recordsOpened: number
  /** ISO 8601, UTC. */
  readonly deadlineAt: string
}

interface Running {
  readonly id: string
  readonly startedAtMs: number
  readonly key: KeyPublic
  readonly hsm: string
  readonly others: DrillBody['others']
  readonly payload: Uint8Array
  /** Hex. */
  readonly digest: string
  recordsOpened: number
  signed: DrillBody['signed']
  stopTimer(): void
}

const said = (error: unknown) => `${messageOf(error).slice(0, 400)} (${codeOf(error)})`

/**
 * Takes one HSM of this node out of service for a while and shows that the others are enough: every sealed record opens, and the node takes
 * part in a signature. One at a time. The HSM is put back in any case: at the end, at the deadline, and when anything fails.
 */
export class HsmDrills {
  readonly #p: HsmDrillParts
  #running: Running | undefined

  constructor(parts: HsmDrillParts) {
    this.#p = parts
  }

  /**
   * Takes the HSM out and opens every record without it.
   *
   * @throws {InvalidArgument} UNKNOWN_HSM; {ConclaveError} UNKNOWN_KEY, DRILL_RUNNING, HSM_NOT_UP, NO_BACKUP, RECORD_DEPENDS naming a
   * record that needs this HSM.
   */
  async begin(hsm: string, keyId: string): Promise<BegunDrill> {
    const { vault, keys, journal, lock, self, clock } = this.#p
    const control = vault.hsm(hsm)
    const key = keys.get(keyId)
    if (this.#running !== undefined)
      throw new ConclaveError('DRILL_RUNNING', `hsm "${this.#running.hsm}" is being drilled: wait for its end`)
    const startedAtMs = clock.nowMs()
    const payload = encodeDrill({ clusterId: lock.clusterId, keyId, node: self.name, hsm, atMs: startedAtMs })
    const digest = toHex(decodeDrill(payload).digest)
    const stopTimer = clock.after(DRILL_MS, () => void this.#abandon(id, 'the deadline of the drill has passed'))
    const id = randomBytes(16).toString('hex')
    const others: DrillBody['others'] = []
    const running: Running = { id, startedAtMs, key, hsm, others, payload, digest, recordsOpened: 0, signed: null, stopTimer }
    // From here on nobody else begins one.
    this.#running = running
    try {
      others.push(...this.#othersOf(hsm, await vault.health()))
      await journal.record({ kind: 'hsm.drill-begun', details: { hsm, keyId } })
      control.takeOut()
      running.recordsOpened = await this.#openAll()
      this.#current(id)
    } catch (error) {
      await this.#abandon(id, said(error))
      throw error
    }
    const deadlineAt = new Date(startedAtMs + DRILL_MS).toISOString()
    return { drillId: id, payload: `0x${toHex(payload)}`, recordsOpened: running.recordsOpened, deadlineAt }
  }

  /** Told of every signature that this node has taken part in. */
  signed({ requestId, key, signers, items }: DrillSignature): void {
    const running = this.#running
    const item = items.find(({ digest }) => running !== undefined && toHex(digest) === running.digest)
    if (running === undefined || item === undefined || running.signed !== null) return
    running.signed = { requestId: toHex(requestId), signers: [...signers], epoch: key.epoch, signature: toHex(item.signature) }
  }

  /** Whether a signature has been made; for whoever asks for one. @throws {ConclaveError} NO_DRILL. */
  progress(drillId: string): { readonly signed: boolean } {
    return { signed: this.#current(drillId).signed !== null }
  }

  /**
   * Puts the HSM back, sees that it is used again, and says in writing what the drill has shown.
   *
   * @param problem - of whoever asked for signatures; it goes into the report.
   * @throws {ConclaveError} NO_DRILL: it has ended; {VaultError} when the identity key cannot sign: the HSM is back all the same.
   */
  async finish(drillId: string, problem: string | undefined): Promise<HsmDrillReport> {
    const { vault, journal, lock, self, clock } = this.#p
    const running = this.#current(drillId)
    this.#running = undefined
    running.stopTimer()
    const { hsm, key, others, payload, startedAtMs, recordsOpened, signed } = running
    const restored = await this.#restore(hsm)
    const unsigned = signed === null ? 'no signature was made with this node while the HSM was out' : null
    const broken = restored ? null : 'the HSM is not used again'
    const body = drillBody({
      ...{ clusterId: lock.clusterId, node: self.name, index: self.index, hsm, others, keyId: key.keyId, publicKey: toHex(key.publicKey) },
      ...{ startedAt: new Date(startedAtMs).toISOString(), endedAt: new Date(clock.nowMs()).toISOString(), recordsOpened },
      ...{ payload: toHex(payload), signed, restored, problem: broken ?? (signed === null ? (problem ?? unsigned) : null) },
    })
    const details = { hsm, keyId: key.keyId, recordsOpened, isSigned: signed !== null, restored, problem: body.problem }
    await journal.record({ kind: 'hsm.drilled', details })
    return signReport(body, vault.identity)
  }

  /** Ends what is running, the HSM back in service. */
  async close(): Promise<void> {
    if (this.#running !== undefined) await this.#abandon(this.#running.id, 'the node stops')
  }

  #current(drillId: string): Running {
    const running = this.#running
    if (running?.id === drillId) return running
    throw new ConclaveError('NO_DRILL', 'no such drill is running: its deadline has passed, or it has ended')
  }

  /** @throws {ConclaveError} HSM_NOT_UP, NO_BACKUP. */
  #othersOf(name: string, health: readonly HsmHealth[]): DrillBody['others'] {
    const own = health.find((h) => h.name === name)
    if (own?.ok !== true)
      throw new ConclaveError('HSM_NOT_UP', `hsm "${name}" is ${own?.state ?? 'gone'} (${own?.code}): there is nothing to take out`)
    const others = health.filter((h) => h.name !== name).map((h) => ({ name: h.name, state: h.state }))
    if (others.some((h) => h.state === 'up')) return others
    const what =
      others.length === 0 ? 'this node has no other HSM' : `no other HSM is up: ${others.map((h) => `${h.name} ${h.state}`).join(', ')}`
    throw new ConclaveError('NO_BACKUP', `${what}; without "${name}" it could sign nothing`)
  }

  /** @throws {ConclaveError} RECORD_DEPENDS. */
  async #openAll(): Promise<number> {
    const { vault, shelf } = this.#p
    const records = await shelf.records()
    for (const { name, context, record } of records) {
      try {
        using _ = await vault.open(context, record)
      } catch (cause) {
        const line = `the ${name} does not open without it, ${said(cause)}: run "conclave hsm rewrap"`
        throw new ConclaveError('RECORD_DEPENDS', line, { details: { record: name }, cause })
      }
    }
    return records.length
  }

  /** @returns whether it is up, and a record that is sealed now has a wrap of it and opens. */
  async #restore(hsm: string): Promise<boolean> {
    const { vault, lock, self, log } = this.#p
    const { ok, code } = await vault.hsm(hsm).putBack()
    if (!ok) {
      log.warn({ hsm, code }, 'an HSM is not up after its drill')
      return false
    }
    const context: SealContext = {
      clusterId: lock.clusterId,
      nodeId: self.name,
      recordType: 'hsm-drill',
      keyId: 'drill',
      epoch: 0,
      version: 1,
    }
    const record = await vault.seal(context, randomBytes(32))
    using _ = await vault.open(context, record)
    return !vault.missingFrom(record).includes(hsm)
  }

  async #abandon(id: string, reason: string): Promise<void> {
    const { journal, log } = this.#p
    const running = this.#running
    if (running?.id !== id) return
    this.#running = undefined
    running.stopTimer()
    const { hsm, key } = running
    try {
      // First: whatever fails after this, it serves again.
      const restored = await this.#restore(hsm)
      await journal.record({
        kind: 'hsm.drilled',
        details: { hsm, keyId: key.keyId, isSigned: false, restored, problem: reason.slice(0, 512) },
      })
    } catch (error) {
      log.error({ hsm, err: error }, 'a drill was not ended in order')
    }
  }
}
