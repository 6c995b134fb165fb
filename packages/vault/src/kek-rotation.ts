import { codeOf, VaultError } from '@conclave/core'
import { openRecord, rewrapRecord } from './envelope.ts'
import type { Hsm, Kek, KekReport } from './hsm.ts'
import { parseRecord } from './record.ts'
import type { RecordShelf, ShelvedRecord } from './record-shelf.ts'
import { vaultError } from './vault-error.ts'

/** Records that are rewrapped at once: so few that a signature does not wait long behind them. */
const AT_ONCE = 4
/** Passes over all records; each leaves only what was sealed meanwhile. */
const PASSES_MAX = 8

/** What became of a node's records. */
export interface Rewrapped {
  readonly records: number
  /** Those of them that had to be changed. */
  readonly rewrapped: number
}

export interface DestroyedKek extends Kek {
  readonly hsm: string
}

export interface KekRotation extends Rewrapped {
  /** The one generation that the HSMs of the node hold now, those in `without` aside. */
  readonly generation: number
  /** HSMs that took part. */
  readonly hsms: readonly string[]
  /** HSMs that were said to be dead: what was sealed to them before can still be opened by whoever has them. */
  readonly without: readonly string[]
  /** Whether it completed an earlier rotation that had broken off. */
  readonly resumed: boolean
  readonly destroyed: readonly DestroyedKek[]
}

export interface RotationParts {
  readonly hsms: readonly Hsm[]
  readonly shelf: RecordShelf
  /** Names of HSMs that are dead for good: they get no new KEK, and records lose their wraps for them. */
  readonly without: readonly string[]
  /** Throws when the vault is being closed: between any two steps a rotation may end, and the next one completes it. */
  readonly checkpoint: () => void
}

/** The HSMs that must take part. @throws {VaultError} KEY_MISSING for a name that is not configured, or when none is left. */
function membersOf({ hsms, without }: Pick<RotationParts, 'hsms' | 'without'>): readonly Hsm[] {
  const stranger = without.find((name) => !hsms.some((hsm) => hsm.name === name))
  if (stranger !== undefined) throw vaultError('KEY_MISSING', `no HSM of this node is called "${stranger}"`)
  const members = hsms.filter((hsm) => !without.includes(hsm.name))
  if (members.length === 0) throw vaultError('KEY_MISSING', 'one HSM at least must take part')
  return members
}

async function reportOf(hsm: Hsm): Promise<KekReport> {
  try {
    return await hsm.keks()
  } catch (error) {
    if (!(error instanceof VaultError) || !error.retriable) throw error
    const line = `hsm "${hsm.name}" is down (${codeOf(error)}), and all have to take part: wait for it, or leave it out with "--without ${hsm.name}" if it is dead for good`
    throw new VaultError(error.code, line, { details: { hsm: hsm.name }, cause: error, retriable: true })
  }
}

interface Recipients {
  /** Token serial and KEK id of each recipient that a record is to have. */
  readonly wanted: ReadonlySet<string>
  /** Names of HSMs whose wraps do not count, either way. */
  readonly ignored: readonly string[]
}

function isSealedTo(record: Uint8Array, { wanted, ignored }: Recipients): boolean {
  const recipients = parseRecord(record).recipients.filter((r) => !ignored.includes(r.name))
  return recipients.length === wanted.size && recipients.every((r) => wanted.has(`${r.tokenSerial}/${r.kekId}`))
}

/** Runs `act` on all, a few at a time; the first failure ends it once those that run have ended. */
async function each<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  let next = 0
  const run = async () => {
    while (next < items.length) {
      const item = items[next++] as T
      await act(item).catch((error: unknown) => {
        next = items.length
        throw error
      })
    }
  }
  const runs = await Promise.allSettled(Array.from({ length: AT_ONCE }, run))
  for (const outcome of runs) if (outcome.status === 'rejected') throw outcome.reason
}

/**
 * Rewraps every record that is not sealed to exactly the newest KEK of each HSM, until none is left.
 *
 * @throws {VaultError} what an HSM or a record throws, the record named; BUSY when records are sealed faster than this goes.
 */
export async function rewrapShelf(parts: RotationParts): Promise<Rewrapped> {
  const { hsms, shelf, without, checkpoint } = parts
  const members = membersOf(parts)
  const descriptions = await Promise.all(members.map(async (hsm) => ({ hsm, report: await reportOf(hsm) })))
  const wanted = new Set(descriptions.map(({ hsm, report }) => `${report.tokenSerial}/${newestOf(hsm, report).id}`))
  const rewrapped = new Set<string>()
  for (let pass = 1; pass <= PASSES_MAX; pass++) {
    await shelf.settled()
    const records = await shelf.records()
    const old: ShelvedRecord[] = []
    for (const entry of records)
      if (!(await named(entry, async () => isSealedTo(entry.record, { wanted, ignored: without })))) old.push(entry)
    if (old.length === 0) return { records: records.length, rewrapped: rewrapped.size }
    await each(old, async (entry) => {
      checkpoint()
      const record = await named(entry, () => rewrapRecord(hsms, members, entry.context, entry.record))
      if (await entry.replace(record)) rewrapped.add(entry.name)
    })
  }
  throw vaultError('BUSY', 'records are being sealed faster than they are rewrapped: try again')
}

async function named<T>({ name }: ShelvedRecord, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof VaultError)) throw error
    const options = { details: { ...error.details, record: name }, cause: error, retriable: error.retriable }
    throw new VaultError(error.code, `${name}: ${error.message}`, options)
  }
}

function newestOf(hsm: Hsm, { keks }: KekReport): Kek {
  const newest = keks.at(-1)
  if (newest === undefined) throw vaultError('KEY_MISSING', `hsm "${hsm.name}" holds no KEK`, { details: { hsm: hsm.name } })
  return newest
}

/**
 * Makes the next KEK generation in every HSM, rewraps every record of the node, and destroys what is older.
 *
 * Wherever it breaks off, every record can be opened, and the next call completes it: the older KEKs are there until no record needs
 * them. Two generations in one HSM are the trace of a rotation that is not complete.
 *
 * @param drained - resolves when no operation is under way any more that may hold a record as it was before.
 */
export async function rotateKeks(parts: RotationParts, drained: () => Promise<void>): Promise<KekRotation> {
  const { without, checkpoint } = parts
  const members = membersOf(parts)
  const reports = await Promise.all(members.map(reportOf))
  const newest = Math.max(...reports.map((report, i) => newestOf(members[i] as Hsm, report).generation))
  const resumed = reports.some(({ keks }) => keks.length > 1)
  const generation = resumed ? newest : newest + 1
  for (const hsm of members) {
    checkpoint()
    await hsm.makeKek(generation)
  }
  const rewrapped = await rewrapShelf(parts)
  await drained()
  const destroyed: DestroyedKek[] = []
  for (const hsm of members) {
    const { keks } = await hsm.keks()
    for (const kek of keks.filter((k) => k.generation < generation)) {
      checkpoint()
      await hsm.destroyKek(kek)
      destroyed.push({ hsm: hsm.name, ...kek })
    }
  }
  return { ...rewrapped, generation, hsms: members.map((m) => m.name), without, resumed, destroyed }
}

/**
 * Destroys every KEK of one HSM, which is to leave the node.
 *
 * @param hsm - its name.
 * @throws {VaultError} LAST_RECIPIENT, naming a record that no other HSM opens; KEY_MISSING when no HSM has this name.
 */
export async function destroyKeks(parts: Omit<RotationParts, 'without'>, hsm: string): Promise<readonly DestroyedKek[]> {
  const { hsms, shelf, checkpoint } = parts
  const leaving = hsms.find((h) => h.name === hsm)
  if (leaving === undefined) throw vaultError('KEY_MISSING', `no HSM of this node is called "${hsm}"`)
  const others = hsms.filter((h) => h !== leaving)
  await shelf.settled()
  for (const { name, context, record } of await shelf.records()) {
    checkpoint()
    try {
      ;(await openRecord(others, context, record))[Symbol.dispose]()
    } catch (cause) {
      const line = `${name} opens with no other HSM (${codeOf(cause)}): rewrap the records first; no KEK was destroyed`
      throw vaultError('LAST_RECIPIENT', line, { details: { record: name, hsm }, cause })
    }
  }
  const destroyed: DestroyedKek[] = []
  for (const kek of (await leaving.keks()).keks) {
    await leaving.destroyKek(kek)
    destroyed.push({ hsm, ...kek })
  }
  return destroyed
}
