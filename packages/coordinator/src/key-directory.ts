import type { Logger } from 'pino'
import type { ClusterView } from './cluster-view.ts'
import type { Notices } from './notices.ts'
import type { Records } from './record-store.ts'
import type { KeyRecord } from './records.ts'
import { confirmedSharings, isSameCommittee, isSameKey, type Sharing } from './sharings.ts'
import { Pulse } from './wait.ts'

export interface KeyDirectoryOptions {
  readonly records: Records
  readonly view: ClusterView
  readonly notices: Notices
  readonly logger: Logger
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

  private constructor(options: KeyDirectoryOptions, keys: readonly KeyRecord[]) {
    this.#records = options.records
    this.#view = options.view
    this.#logger = options.logger
    this.#keys = new Map(keys.map((key) => [key.keyId, key]))
  }

  static async load(options: KeyDirectoryOptions): Promise<KeyDirectory> {
    const directory = new KeyDirectory(options, await options.records.keys())
    options.view.changed.subscribe(() => directory.#observe())
    options.notices.on('keys', () => void directory.reload())
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

  /** Learns what another coordinator has stored. Never rejects. */
  async reload(): Promise<void> {
    try {
      const news = (await this.#records.keys()).filter((key) => {
        const known = this.#keys.get(key.keyId)
        return known === undefined || (isSameKey(key, known) && key.epoch > known.epoch)
      })
      for (const key of news) this.#keys.set(key.keyId, key)
      if (news.length > 0) this.changed.fire()
    } catch (err) {
      this.#logger.warn({ err }, 'cannot read the keys of the store')
    }
  }

  /** Resolves when everything observed so far is stored. */
  async settled(): Promise<void> {
    await this.#saving
  }

  #observe(): void {
    const statusOf = (i: number) => this.#view.report(i)?.status
    const confirmed = confirmedSharings(this.#view.lock, statusOf, (keyId) => this.#keys.get(keyId))
    // The highest epoch last, so that it is the one that stays.
    const fresh = confirmed
      .filter((sharing) => this.#isNews(sharing))
      .map(({ key }) => key)
      .sort((a, b) => a.epoch - b.epoch)
    if (fresh.length > 0) this.#save(fresh)
  }

  /** A key that is known may move on to a higher epoch, with any committee; it never changes its public key or chain code and never goes back. */
  #isNews({ key, nodes }: Sharing): boolean {
    const known = this.#keys.get(key.keyId)
    if (known === undefined) return true
    if (!isSameKey(key, known)) {
      // Money may already lie at the first addresses, so the first confirmed key stays.
      this.#logger.error({ keyId: key.keyId, nodes }, 'nodes report another public key or chain code for a known key: ignored')
      return false
    }
    if (key.epoch > known.epoch) return true
    if (key.epoch === known.epoch && !isSameCommittee(key, known)) {
      this.#logger.error({ keyId: key.keyId, nodes, epoch: key.epoch }, 'nodes report another committee for a known epoch: ignored')
    }
    return false
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
