import { access, readFile, rename, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { ConfigError } from '@conclave/core'
import { type DestroyedKek, type HsmSettings, openPkcs11Vault, type ProvisionedBackup, provisionBackupHsm, shelfOf } from '@conclave/vault'
import { isSeq, parseDocument, stringify } from 'yaml'
import { addToCard } from './card.ts'
import { openStore } from './daemon.ts'
import { CARD_FILE, type ExistingHsm, SETTINGS_FILE, settingsOf } from './init.ts'
import { sealedFiles } from './sealed-files.ts'
import { parseSettings, readSettings } from './settings.ts'
import { prepareSoftToken, softTokenFiles } from './soft-token.ts'
import { storedRecords } from './store/stored-records.ts'

export interface BackupHsmPlan {
  /** Directory of the node. */
  readonly dir: string
  /** Name of the new HSM in the settings. */
  readonly name: string
  /** An HSM whose token exists; without it a SoftHSM token is made inside `dir`. */
  readonly hsm?: ExistingHsm
  /** Add it to the settings file. */
  readonly write?: boolean
}

export interface AddedHsm extends ProvisionedBackup {
  readonly name: string
  readonly token: string
  /** What belongs into the list `hsm` of the settings. */
  readonly settings: string
  readonly written: boolean
}

/** The settings file with one more HSM; comments and order stay. @throws {ConfigError} BAD_SETTINGS, HSM_EXISTS. */
function withHsm(text: string, file: string, entry: object, name: string): string {
  if (parseSettings(text, file).hsms.some((h) => h.name === name))
    throw new ConfigError('HSM_EXISTS', `${file} names an HSM "${name}" already`, { file, hsm: name })
  const document = parseDocument(text)
  const hsms = document.get('hsm')
  if (!isSeq(hsms)) throw new ConfigError('BAD_SETTINGS', `${file}: "hsm" is not a list`, { file })
  hsms.add(document.createNode(entry))
  const next = document.toString()
  parseSettings(next, file)
  return next
}

async function freeOf(dir: string, files: readonly string[]): Promise<void> {
  for (const file of files) {
    const isThere = await access(join(dir, file)).then(
      () => true,
      () => false,
    )
    if (isThere)
      throw new ConfigError('INIT_INCOMPLETE', `${join(dir, file)} is left of a broken-off ceremony: remove it or take another name`, {
        dir,
      })
  }
}

/**
 * The ceremony that gives a node one more HSM: a KEK and a checkpoint key inside it, and lines for the settings. A KEK that is there is never
 * touched. The node uses it after a restart; a rewrap then seals to it what was sealed before. Its checkpoint key goes into the node's card,
 * and counts from the next cluster lock on.
 *
 * @throws {ConfigError} SETTINGS_UNREADABLE, BAD_SETTINGS, HSM_EXISTS, INIT_INCOMPLETE, MODULE_MISSING; {VaultError} KEY_EXISTS and what
 *   else provisioning throws.
 */
export async function addHsm(plan: BackupHsmPlan): Promise<AddedHsm> {
  const dir = resolve(plan.dir)
  const file = join(dir, SETTINGS_FILE)
  const { name: node } = readSettings(file)
  const text = await readFile(file, 'utf8')
  const draft = { name: plan.name, module: '/', token: 'draft', pin: { file: 'pin' } }
  // Refused before anything is made.
  withHsm(text, file, draft, plan.name)
  const suffix = `-${plan.name}`
  if (plan.hsm === undefined) await freeOf(dir, softTokenFiles(suffix))
  const made =
    plan.hsm === undefined
      ? await prepareSoftToken(dir, { hsm: plan.name, token: `conclave-${node}${suffix}`, suffix })
      : { hsm: settingsOf(plan.name, plan.hsm), soPinFile: undefined }
  const createToken = made.soPinFile === undefined ? {} : { createToken: { soPin: { file: made.soPinFile } } }
  const provisioned = await provisionBackupHsm({ ...made.hsm, ...createToken, kekFrom: plan.hsm?.adoptKek === true ? 'adopt' : 'generate' })
  if (provisioned.checkpointKey !== undefined) await addToCard(join(dir, CARD_FILE), provisioned.checkpointKey)
  const entry = { ...inFile(made.hsm, dir), serial: provisioned.tokenSerial }
  if (plan.write === true) await replaceFile(file, withHsm(await readFile(file, 'utf8'), file, entry, plan.name))
  return { ...provisioned, name: plan.name, token: made.hsm.token, settings: stringify([entry]), written: plan.write === true }
}

/** Paths inside the node's directory are written relative to it, so that the directory can be moved. */
function inFile(hsm: HsmSettings, dir: string): object {
  const at = (path: string) => (path.startsWith(`${dir}/`) ? relative(dir, path) : path)
  const env = hsm.env === undefined ? {} : { env: Object.fromEntries(Object.entries(hsm.env).map(([k, v]) => [k, at(v)])) }
  return { ...hsm, pin: 'file' in hsm.pin ? { file: at(hsm.pin.file) } : hsm.pin, ...env }
}

async function replaceFile(file: string, text: string): Promise<void> {
  await writeFile(`${file}.next`, text, { mode: 0o600 })
  await rename(`${file}.next`, file)
}

/**
 * Destroys every KEK of an HSM that is to leave the node, once every record of the node has been opened with another one. The node must not
 * run; afterwards the HSM has to go from the settings.
 *
 * @throws {StoreError} STORE_LOCKED while the node runs; {VaultError} LAST_RECIPIENT, IDENTITY_HELD, KEY_MISSING, and what opening the HSMs
 *   throws.
 */
export async function destroyHsm(dir: string, name: string): Promise<readonly DestroyedKek[]> {
  const settings = readSettings(join(dir, SETTINGS_FILE))
  const vault = await openPkcs11Vault({ hsms: settings.hsms })
  try {
    const store = await openStore(settings, vault)
    try {
      return await vault.destroyKeks(name, shelfOf([...sealedFiles(settings), storedRecords(store)]))
    } finally {
      await store.close()
    }
  } finally {
    await vault.close()
  }
}
