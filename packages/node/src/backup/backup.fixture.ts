import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AuditEvent, concat } from '@conclave/core'
import { type KeyVault, memoryVault } from '@conclave/vault'
import { decode, StoredKey } from '@conclave/wire'
import { type Rig, TestCluster } from '../cluster.fixture.ts'
import { newKey, pairsReady } from '../requests.fixture.ts'
import { shareContext } from '../store/key-records.ts'
import { sealTo } from './age-file.ts'
import { parseBackup } from './backup-file.ts'
import type { DrillReport } from './backup-keeper.ts'
import { beginOneTimeKey } from './backup-store.ts'
import { makeIdentityFile, openPiece } from './custodian.ts'
import { readLimited } from './disk.ts'
import type { BackupContents, BackupPlan } from './make-backup.ts'
import { splitKey } from './piece.ts'
import type { RestoreTarget } from './restore.ts'
import type { PieceFile } from './unlock.ts'

export const CUSTODIANS = ['ada', 'bo', 'cy'] as const
export type Custodian = (typeof CUSTODIANS)[number]

/** A 2-of-3 cluster with keys, custodians with identity files, and a directory for what goes from one to the other. */
export class BackupRig {
  readonly cluster: TestCluster
  readonly dir: string
  readonly plan: BackupPlan
  /** What the journal of n1 was told. */
  readonly events: AuditEvent[] = []
  #files = 0

  private constructor(cluster: TestCluster, dir: string, plan: BackupPlan) {
    this.cluster = cluster
    this.dir = dir
    this.plan = plan
  }

  static async create(keys: readonly string[] = ['k']): Promise<BackupRig> {
    const dir = await mkdtemp(join(tmpdir(), 'conclave-backup-'))
    const recipients = await Promise.all(
      CUSTODIANS.map(async (name) => ({ name, recipient: await makeIdentityFile(join(dir, `${name}.key`)) })),
    )
    const rig = new BackupRig(await TestCluster.create(3, 2), dir, { custodians: recipients, required: 2 })
    await rig.start()
    for (const keyId of keys) await newKey(rig.cluster, keyId)
    return rig
  }

  async start(names: readonly string[] = this.cluster.names(), lock = this.cluster.lock): Promise<void> {
    const journal = { record: async (event: AuditEvent) => void this.events.push(event) }
    const rig: Rig = (parts) => ({ ...parts, backup: this.plan, ...(parts.name === 'n1' ? { journal } : {}) })
    await this.cluster.start(names, { rig, lock })
    await pairsReady(this.cluster)
  }

  /** A path that nothing is at. */
  path(name = 'file'): string {
    return join(this.dir, `${name}-${++this.#files}`)
  }

  get backups() {
    return this.cluster.node('n1').backups
  }

  async backup(): Promise<string> {
    const file = this.path('backup')
    await this.backups.create(file)
    return file
  }

  /** What a custodian hands to the node with the one-time recipient. */
  async piece(file: string, who: Custodian, to: string): Promise<string> {
    const out = this.path(`piece-of-${who}`)
    await openPiece({ file, identityFile: join(this.dir, `${who}.key`), to, out, confirm: async () => true })
    return out
  }

  /** A piece of the right form and for the right recipient that nobody was given. */
  async forgedPiece(file: string, to: string): Promise<string> {
    const { header } = parseBackup(await readLimited(file, 1 << 20))
    const [, forged] = await splitKey(new Uint8Array(32), { backupId: header.backupId, count: 3, required: 2 })
    const out = this.path('forged')
    await writeFile(out, await sealTo(to, forged as Uint8Array))
    return out
  }

  /** What a running node has sealed of a key in epoch 0. */
  async openShare(name: string, keyId: string): Promise<{ readonly secret: Uint8Array }> {
    const [record] = (await this.cluster.store(name).list('key'))
      .map(({ value }) => decode(StoredKey, value))
      .filter((k) => k.certificate.key.keyId === keyId)
    const scope = { clusterId: this.cluster.lock.clusterId, nodeName: name }
    return this.#withVault(name, async (vault) => {
      using secret = await vault.open(shareContext(scope, { keyId, epoch: 0 }), (record as StoredKey).sealed)
      return { secret: Uint8Array.from(secret.bytes) }
    })
  }

  /** What n1 would put into a backup now. */
  async contents(): Promise<BackupContents> {
    const stored = (await this.cluster.store('n1').list('key')).map(({ value }) => decode(StoredKey, value))
    const shares: Uint8Array[] = []
    for (const { certificate } of stored) shares.push((await this.openShare('n1', certificate.key.keyId)).secret)
    return {
      self: this.cluster.member('n1'),
      locks: [this.cluster.lock],
      certificates: stored.map((s) => s.certificate),
      shares: concat(...shares),
      ...{ burns: [], pairEpochs: [], lives: [], erasures: [] },
      createdAtMs: 1_700_000_000_000,
    }
  }

  /** With the identity key in a node's HSM. */
  signAs(name: string, message: Uint8Array): Promise<Uint8Array> {
    return this.#withVault(name, (vault) => vault.identity.sign(message))
  }

  async #withVault<T>(name: string, act: (vault: KeyVault) => Promise<T>): Promise<T> {
    const vault = await memoryVault({ devices: [this.cluster.device(name)] })
    try {
      return await act(vault)
    } finally {
      await vault.close()
    }
  }

  /** Begins a drill; the custodians open their pieces for it. */
  async drilled(file: string, who: readonly Custodian[] = ['ada', 'cy'], piecesOf = file): Promise<DrillReport> {
    const { recipient } = await this.backups.beginDrill()
    const pieces: string[] = []
    for (const name of who) pieces.push(await this.piece(piecesOf, name, recipient))
    return this.backups.drill(file, pieces)
  }

  /** The new, empty machine of n1, for as long as `act` takes. */
  async target<T>(act: (target: RestoreTarget, recipient: string) => Promise<T>): Promise<T> {
    const store = await this.cluster.openStore('n1')
    const vault = await memoryVault({ devices: [this.cluster.device('n1')] })
    try {
      const { recipient } = await beginOneTimeKey(store, vault, 'n1')
      return await act({ name: 'n1', vault, store }, recipient)
    } finally {
      await store.close()
      await vault.close()
    }
  }

  async pieces(file: string, who: readonly Custodian[], to: string): Promise<readonly PieceFile[]> {
    const files: PieceFile[] = []
    for (const name of who) {
      const path = await this.piece(file, name, to)
      files.push({ name: path, bytes: await readLimited(path, 1 << 20) })
    }
    return files
  }

  async close(): Promise<void> {
    await this.cluster.close()
    await rm(this.dir, { recursive: true, force: true })
  }
}
