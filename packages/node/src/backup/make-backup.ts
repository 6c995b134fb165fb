import {
  assert,
  type ClusterLock,
  equalBytes,
  formatLock,
  fromHex,
  type IdentitySigner,
  lockHash,
  type NodeMember,
  SecretBytes,
  signChecked,
  utf8,
  wipe,
} from '@conclave/core'
import { certificateHash } from '@conclave/mpc'
import { BackupFile, BackupHeader, type BackupState, encode, type KeyCertificate } from '@conclave/wire'
import { sealTo } from './age-file.ts'
import { BACKUP_FORMAT, type Backup, backupMessage, encodeTime, parseBackup } from './backup-file.ts'
import { freshIv, openState, sealState } from './backup-state.ts'
import { BACKUP_KEY_BYTES, joinKey, parsePiece, pieceCommitment, splitKey } from './piece.ts'

const ID_BYTES = 32

/** Who together can open the backups of a node, from its settings. */
export interface BackupPlan {
  /** 2 to 16, names and recipients distinct. */
  readonly custodians: readonly { readonly name: string; readonly recipient: string }[]
  /** How many of them it takes: 2 or more. */
  readonly required: number
}

/** What one node puts into a backup. */
export interface BackupContents extends Pick<BackupState, 'burns' | 'pairEpochs' | 'lives' | 'erasures'> {
  readonly self: NodeMember
  /** Oldest first; the last one is in force. */
  readonly locks: readonly ClusterLock[]
  /** Of the active epochs, by key id. */
  readonly certificates: readonly KeyCertificate[]
  /** The share of each, as it is sealed in the store, one after the other. The caller wipes them. */
  readonly shares: Uint8Array
  readonly createdAtMs: number
}

export interface BackupMaker {
  readonly plan: BackupPlan
  readonly identity: IdentitySigner
  /** Of the HSM and the operating system. */
  random(length: number): Promise<Uint8Array>
}

function headerOf(
  contents: BackupContents,
  { plan, identity }: BackupMaker,
  backupId: Uint8Array,
  pieces: readonly Uint8Array[],
): BackupHeader {
  const { self, locks, certificates, createdAtMs } = contents
  const lock = locks.at(-1)
  assert(lock !== undefined, 'a node has a lock in force')
  return {
    format: BACKUP_FORMAT,
    backupId,
    clusterId: fromHex(lock.clusterId),
    node: self.name,
    index: self.index,
    identityType: identity.key.type,
    identityKey: identity.key.publicKey,
    lockVersion: lock.version,
    lockHash: lockHash(lock),
    createdAt: encodeTime(createdAtMs),
    required: plan.required,
    custodians: plan.custodians.map(({ name, recipient }, i) => ({
      ...{ name, recipient },
      commitment: pieceCommitment(pieces[i] as Uint8Array),
    })),
    keys: certificates.map(({ key }) => ({ keyId: key.keyId, epoch: key.epoch, certificateHash: certificateHash(key) })),
  }
}

/** That every custodian's piece is needed for something and enough of them give the key back: each is in one of the sets that are tried. */
async function checkPieces(pieces: readonly Uint8Array[], required: number, key: Uint8Array): Promise<void> {
  for (let from = 0; from < pieces.length; from++) {
    const set = Array.from({ length: required }, (_, i) => pieces[(from + i) % pieces.length] as Uint8Array)
    const parsed = set.flatMap((bytes) => parsePiece(bytes) ?? [])
    using joined = await joinKey(parsed)
    for (const { share } of parsed) wipe(share)
    assert(equalBytes(joined.bytes, key), 'the pieces of a backup key give it back')
  }
}

/**
 * Makes a backup and opens it again before anybody gets it.
 *
 * @returns the bytes of the file.
 * @throws {BackupError} BAD_RECIPIENT; BAD_BACKUP when what came out cannot be opened; {VaultError}.
 */
export async function makeBackup(contents: BackupContents, maker: BackupMaker): Promise<Uint8Array> {
  const { plan, identity, random } = maker
  const backupId = await random(ID_BYTES)
  using key = new SecretBytes(await random(BACKUP_KEY_BYTES))
  const pieces = await splitKey(key.bytes, { backupId, count: plan.custodians.length, required: plan.required })
  try {
    await checkPieces(pieces, plan.required, key.bytes)
    const header = encode(BackupHeader, headerOf(contents, maker, backupId, pieces))
    const state: BackupState = {
      certificates: contents.certificates,
      locks: contents.locks.map((lock) => utf8(formatLock(lock))),
      ...{ burns: contents.burns, pairEpochs: contents.pairEpochs, lives: contents.lives, erasures: contents.erasures },
    }
    const unsigned = {
      header,
      ...sealState(key.bytes, await freshIv(random), header, contents.shares, state),
      pieces: await Promise.all(plan.custodians.map(({ recipient }, i) => sealTo(recipient, pieces[i] as Uint8Array))),
    }
    const signature = await signChecked(identity, backupMessage(unsigned))
    const bytes = encode(BackupFile, { ...unsigned, signature })
    const backup: Backup = parseBackup(bytes)
    using open = await openState(backup, key.bytes)
    assert(open.certificates.length === contents.certificates.length, 'a backup that was opened holds what was put in')
    return bytes
  } finally {
    for (const piece of pieces) wipe(piece)
  }
}
