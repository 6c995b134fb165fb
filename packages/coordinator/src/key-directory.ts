import { type ClusterLock, checkThreshold, fromHex, type PartyId, parseKeyId, parsePartySet, toHex } from '@conclave/core'
import type { KeyStatus, NodeStatus, ValueOf } from '@conclave/wire'
import type { Logger } from 'pino'
import type { ClusterView } from './cluster-view.ts'
import type { KeyRecord, Records } from './records.ts'
import { isPoint } from './signature.ts'
import { Pulse } from './wait.ts'

type Reported = ValueOf<typeof KeyStatus>
export type StatusOf = (node: PartyId) => NodeStatus | undefined

interface Backed {
  readonly key: KeyRecord
  readonly nodes: readonly PartyId[]
}

function recordOf(reported: Reported): KeyRecord | undefined {
  try {
    const { keyId, publicKey, chainCode, threshold, epoch, state } = reported
    const parties = parsePartySet(reported.parties)
    checkThreshold(threshold, parties.length)
    const hex = { publicKey: toHex(publicKey), chainCode: toHex(chainCode) }
    return { keyId: parseKeyId(keyId), ...hex, threshold, parties, epoch, state }
  } catch {
    // A node that reports an impossible key is a node that does not report it.
    return undefined
  }
}

/** The same key at each node that reports it, grouped. */
function groupReports(lock: ClusterLock, statusOf: StatusOf): Iterable<{ readonly keys: KeyRecord[]; readonly nodes: PartyId[] }> {
  const groups = new Map<string, { readonly keys: KeyRecord[]; readonly nodes: PartyId[] }>()
  for (const { index } of lock.nodes) {
    const mine = new Map((statusOf(index)?.keys ?? []).map((k) => [k.keyId, k]))
    for (const reported of mine.values()) {
      const key = recordOf(reported)
      if (key === undefined || !key.parties.includes(index)) continue
      const identity = JSON.stringify([key.keyId, key.publicKey, key.chainCode, key.threshold, key.parties])
      const group = groups.get(identity) ?? { keys: [], nodes: [] }
      group.keys.push(key)
      group.nodes.push(index)
      groups.set(identity, group)
    }
  }
  return groups.values()
}

/**
 * Which keys exist, by what the nodes report.
 *
 * A key exists when at least `threshold` of its parties report the same one. The lock's own quorum counts as well: a threshold
 * is itself only reported, and a few liars must not make a key of theirs appear by claiming a small one.
 */
export function confirmedKeys(lock: ClusterLock, statusOf: StatusOf): readonly Backed[] {
  const confirmed: Backed[] = []
  for (const { keys, nodes } of groupReports(lock, statusOf)) {
    const needed = Math.max((keys[0] as KeyRecord).threshold, lock.quorum.required)
    if (nodes.length < needed) continue
    // Nodes reach a new epoch one after the other: the key is where `needed` of them are.
    const key = keys.toSorted((a, b) => b.epoch - a.epoch)[needed - 1] as KeyRecord
    if (isPoint(fromHex(key.publicKey))) confirmed.push({ key, nodes })
  }
  return confirmed
}

/** The keys of the cluster: confirmed once, then kept in the store. */
export class KeyDirectory {
  /** Fires when a key was added or has changed. */
  readonly changed = new Pulse()
  readonly #records: Records
  readonly #view: ClusterView
  readonly #logger: Logger
  readonly #keys: Map<string, KeyRecord>
  #saving: Promise<void> = Promise.resolve()

  private constructor(options: { records: Records; view: ClusterView; logger: Logger }, keys: readonly KeyRecord[]) {
    this.#records = options.records
    this.#view = options.view
    this.#logger = options.logger
    this.#keys = new Map(keys.map((key) => [key.keyId, key]))
  }

  static async load(options: { records: Records; view: ClusterView; logger: Logger }): Promise<KeyDirectory> {
    const directory = new KeyDirectory(options, await options.records.keys())
    options.view.changed.subscribe(() => directory.#observe())
    return directory
  }

  get(keyId: string): KeyRecord | undefined {
    return this.#keys.get(keyId)
  }

  list(): readonly KeyRecord[] {
    return [...this.#keys.values()].sort((a, b) => (a.keyId < b.keyId ? -1 : 1))
  }

  /** Adds a key that all of its parties have just answered for; resolves when it is stored. */
  async add(key: KeyRecord): Promise<void> {
    this.#save([key])
    await this.#saving
  }

  /** Resolves when everything observed so far is stored. */
  async settled(): Promise<void> {
    await this.#saving
  }

  #observe(): void {
    const fresh: KeyRecord[] = []
    for (const { key, nodes } of confirmedKeys(this.#view.lock, (i) => this.#view.report(i)?.status)) {
      const known = this.#keys.get(key.keyId)
      const isOther = known !== undefined && (known.publicKey !== key.publicKey || known.chainCode !== key.chainCode)
      if (isOther) {
        // Money may already lie at the first addresses, so the first confirmed key stays.
        this.#logger.error({ keyId: key.keyId, nodes }, 'nodes report another public key or chain code for a known key: ignored')
      } else if (JSON.stringify(known) !== JSON.stringify(key)) fresh.push(key)
    }
    if (fresh.length > 0) this.#save(fresh)
  }

  #save(keys: readonly KeyRecord[]): void {
    for (const key of keys) this.#keys.set(key.keyId, key)
    this.changed.fire()
    this.#saving = this.#saving
      .then(() => this.#records.saveKeys(keys))
      .catch((err) =>
        this.#logger.error({ err, keys: keys.map((k) => k.keyId) }, 'cannot store keys; they will be learnt again from the nodes'),
      )
  }
}
