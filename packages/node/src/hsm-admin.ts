import { ConclaveError, type Journal, VaultError } from '@conclave/core'
import { type HsmKeks, type KeyVault, parseRecord, type RecordShelf, type ShelvedRecord } from '@conclave/vault'

/** What a node tells its operator of one HSM. */
export interface AdminKekHolder {
  readonly name: string
  readonly ok: boolean
  /** Why it is not. */
  readonly code: string | null
  readonly latencyMs: number | null
  /** What the token says of itself; null when it says nothing. */
  readonly kek: {
    readonly token: string
    readonly tokenSerial: string
    readonly profile: string
    /** PKCS#11 number. */
    readonly mechanism: number
    readonly extractability: string
    /** The last one seals; several while a rotation is not complete. */
    readonly generations: readonly number[]
  } | null
  /** Records of this node that this HSM cannot open; null when it does not say what it holds. */
  readonly recordsWithout: number | null
}

export interface AdminHsms {
  /** Sealed records of this node. */
  readonly records: number
  readonly hsms: readonly AdminKekHolder[]
}

export interface AdminRewrap {
  readonly records: number
  readonly rewrapped: number
}

export interface AdminRotation extends AdminRewrap {
  readonly generation: number
  readonly hsms: readonly string[]
  readonly without: readonly string[]
  readonly resumed: boolean
  readonly destroyed: readonly { readonly hsm: string; readonly generation: number; readonly id: string }[]
}

export interface HsmAdminParts {
  readonly vault: KeyVault
  /** Every record that this node has sealed. */
  readonly shelf: RecordShelf
  readonly journal: Journal
}

type Known = Extract<HsmKeks, { ok: true }>

function opens({ tokenSerial, keks }: Known, { record }: ShelvedRecord): boolean {
  return parseRecord(record).recipients.some((r) => r.tokenSerial === tokenSerial && keks.some((k) => k.id === r.kekId))
}

/**
 * Refuses records of before a rotation: after one every record is of the newest generation, so these came from an old copy of the disk.
 *
 * @throws {VaultError} KEK_DESTROYED, naming the record.
 */
export async function refuseOldRecords(vault: KeyVault, shelf: RecordShelf): Promise<void> {
  const known = (await vault.keks()).filter((h) => h.ok)
  for (const { name, record } of await shelf.records()) {
    for (const { tokenSerial, kekId, kekGeneration } of parseRecord(record).recipients) {
      const hsm = known.find((h) => h.tokenSerial === tokenSerial)
      const newest = hsm?.keks.at(-1)?.generation ?? 0
      if (hsm === undefined || newest <= kekGeneration || hsm.keks.some((k) => k.id === kekId)) continue
      const line = `${name} was sealed under KEK generation ${kekGeneration} of hsm "${hsm.name}", which a rotation has destroyed: this is an old copy of the disk`
      throw new VaultError('KEK_DESTROYED', line, { details: { record: name, hsm: hsm.name, generation: kekGeneration, newest } })
    }
  }
}

/** What the operator of a node may ask of its HSMs. */
export class HsmAdmin {
  readonly #p: HsmAdminParts

  constructor(parts: HsmAdminParts) {
    this.#p = parts
  }

  async status(): Promise<AdminHsms> {
    const { vault, shelf } = this.#p
    const [health, keks, records] = await Promise.all([vault.health(), vault.keks(), shelf.records()])
    const hsms = keks.map((hsm): AdminKekHolder => {
      const { ok = false, code, latencyMs } = health.find((h) => h.name === hsm.name) ?? {}
      const facts = { name: hsm.name, ok, code: code ?? null, latencyMs: latencyMs ?? null }
      if (!hsm.ok) return { ...facts, ok: false, code: code ?? hsm.code, kek: null, recordsWithout: null }
      const { token, tokenSerial, profile, mechanism, extractability } = hsm
      const kek = { token, tokenSerial, profile, mechanism, extractability, generations: hsm.keks.map((k) => k.generation) }
      return { ...facts, kek, recordsWithout: records.filter((r) => !opens(hsm, r)).length }
    })
    return { records: records.length, hsms }
  }

  /** Seals every record's data key to the newest KEK of every HSM. @throws {VaultError}; {StoreError}. */
  async rewrap(without: readonly string[]): Promise<AdminRewrap> {
    const { vault, shelf, journal } = this.#p
    await journal.record({ kind: 'record.rewrapping', details: { without } })
    const { records, rewrapped } = await this.#told('record.rewrap-failed', () => vault.rewrap(shelf, { without }))
    await journal.record({ kind: 'record.rewrapped', details: { records, rewrapped, without } })
    return { records, rewrapped }
  }

  /** @throws {VaultError}; {StoreError}: then two generations are left, and the next call completes it. */
  async rotateKek(without: readonly string[]): Promise<AdminRotation> {
    const { vault, shelf, journal } = this.#p
    await journal.record({ kind: 'kek.rotating', details: { without } })
    const rotation = await this.#told('kek.rotation-failed', () => vault.rotateKek(shelf, { without }))
    const { generation, hsms, records, destroyed, resumed } = rotation
    const gone = destroyed.map((k) => `${k.hsm} ${k.generation}`)
    await journal.record({ kind: 'kek.rotated', details: { generation, hsms, without, records, resumed, destroyed: gone } })
    return rotation
  }

  async #told<T>(kind: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      const code = error instanceof ConclaveError ? error.code : 'INTERNAL'
      await this.#p.journal.record({ kind, details: { code } })
      throw error
    }
  }
}
