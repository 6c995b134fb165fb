import { readFile } from 'node:fs/promises'
import { equalBytes, formatLock, utf8 } from '@conclave/core'
import { softIdentity } from '@conclave/transport'
import { BackupFile, BackupState, decode, encode } from '@conclave/wire'
import { newIdentityFile, oneTimeKey, openWith, parseIdentities, sealTo } from './age-file.ts'
import { BackupRig } from './backup.fixture.ts'
import { type Backup, backupMessage, checkOwner, parseBackup, summaryOf } from './backup-file.ts'
import { openState, SHARE_BYTES, sealState } from './backup-state.ts'
import { parseKnownEpochs } from './known-epochs.ts'
import { makeBackup } from './make-backup.ts'

const SIGNER = softIdentity(utf8('fuzz-backup-signer-of-32-bytes!!'))
const KEY = new Uint8Array(32).fill(3)

const LIFE = {
  keyId: 'k',
  phase: 'suspended',
  at: new Uint8Array(8),
  reason: 'r',
  publicKey: new Uint8Array(0),
  epochs: [],
  kekGeneration: 0,
}

interface Made {
  readonly bytes: Uint8Array
  readonly backup: Backup
}

/** A backup with one key, signed by a key that this process has. */
async function startRig() {
  const rig = await BackupRig.create(['k'])
  const contents = await rig.contents()
  const bytes = await makeBackup(contents, { plan: rig.plan, identity: SIGNER, random: async (n) => new Uint8Array(n).fill(9) })
  const made: Made = { bytes, backup: parseBackup(bytes) }
  return { rig, contents, ...made, stop: () => rig.close() }
}

async function startFile() {
  const { bytes, stop } = await startRig()
  return { seeds: [bytes], run: (input: Uint8Array) => void parseBackup(input), stop }
}

/** Whatever a node signs: the header alone must stand on its own. */
async function startHeader() {
  const { rig, backup, stop } = await startRig()
  const run = async (header: Uint8Array) => {
    const unsigned = { ...backup.file, header }
    const parsed = parseBackup(encode(BackupFile, { ...unsigned, signature: await SIGNER.sign(backupMessage(unsigned)) }))
    summaryOf(parsed)
    checkOwner(parsed, rig.cluster.lock)
    throw new Error('a backup of nobody was taken for one of the cluster')
  }
  return { seeds: [backup.file.header], run, stop }
}

/** What is inside, sealed as it should be. */
async function startState() {
  const { contents, backup, stop } = await startRig()
  const state = encode(BackupState, {
    certificates: contents.certificates,
    locks: contents.locks.map((lock) => utf8(formatLock(lock))),
    burns: [{ peer: 2, pairEpoch: 1, code: 'OT_CHECK', at: new Uint8Array(8), peerId: 'p' }],
    pairEpochs: [{ peer: 2, pairEpoch: 1 }],
    lives: [LIFE],
    erasures: [],
  })
  const run = async (input: Uint8Array) => {
    const value = decode(BackupState, input)
    const sealed = sealState(KEY, new Uint8Array(12), backup.file.header, contents.shares.subarray(0, SHARE_BYTES), value)
    using open = await openState({ ...backup, file: { ...backup.file, ...sealed } }, KEY)
    if (!equalBytes(open.shareAt(0), contents.shares)) throw new Error('another share')
  }
  return { seeds: [state], run, stop }
}

async function startKnown() {
  const { rig, stop } = await startRig()
  const out = rig.path()
  await rig.cluster.node('n2').backups.exportEpochs(out)
  return { seeds: [new Uint8Array(await readFile(out))], run: (input: Uint8Array) => void parseKnownEpochs(input, rig.cluster.lock), stop }
}

async function startPiece() {
  const key = await oneTimeKey(KEY)
  const content = new Uint8Array(82).fill(1)
  const run = async (input: Uint8Array) => {
    const opened = await openWith([key.identity], input)
    if (opened !== undefined && !equalBytes(opened, content)) throw new Error('a changed file was opened')
    // What the library leaves running in its streams must not end the process either.
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { seeds: [await sealTo(key.recipient, content)], run }
}

async function startIdentities() {
  const run = async (input: Uint8Array) => void (await parseIdentities(new TextDecoder().decode(input)))
  return { seeds: [utf8((await newIdentityFile()).text)], run }
}

const HEADER_CODES = /^(BAD_BACKUP|BACKUP_TAMPERED|BACKUP_FOREIGN|WIRE_ENCODE)$/

export const BACKUP_TARGETS = [
  { name: 'node.backup-file', kind: 'message', runs: 100, codes: /^(BAD_BACKUP|BACKUP_TAMPERED)$/, start: startFile },
  { name: 'node.backup-header', kind: 'message', runs: 100, codes: HEADER_CODES, start: startHeader },
  { name: 'node.backup-state', kind: 'message', runs: 60, codes: /^(BAD_BACKUP|WIRE_DECODE)$/, start: startState },
  { name: 'node.backup-known', kind: 'message', runs: 60, codes: /^BAD_KNOWN_EPOCHS$/, start: startKnown },
  { name: 'node.backup-piece', kind: 'bytes', runs: 150, codes: /^$/, start: startPiece },
  { name: 'node.backup-identity', kind: 'text', runs: 100, codes: /^BAD_AGE_IDENTITY$/, start: startIdentities },
]
