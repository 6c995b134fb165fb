import { access, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { ConfigError, formatKey, type IdentityKey, messageOf } from '@conclave/core'
import { peerIdOf } from '@conclave/transport'
import { type HsmSettings, openPkcs11Vault, provisionHsm } from '@conclave/vault'
import { stringify } from 'yaml'
import { createPeerKey, hasPeerId, PEER_KEY_FILE } from './peer-key.ts'
import { STORE_KEY_FILE, storeKeyContext } from './sealed-files.ts'
import { parseSettings } from './settings.ts'
import { prepareSoftToken, softTokenFiles } from './soft-token.ts'
import { LevelStore } from './store/level-store.ts'

export const SETTINGS_FILE = 'node.yaml'
export const CARD_FILE = 'card.json'
const POLICY_FILE = 'policy.yaml'
const DENY_ALL = '# Nothing is allowed until a rule says so.\nversion: 1\nsequence: 1\nrules: []\n'

export interface NodeInit {
  readonly dir: string
  readonly name: string
  /** Multiaddrs to listen on, and (unless `announce` is given) to write into the lock. */
  readonly listen: readonly string[]
  readonly announce?: readonly string[]
  /** An HSM that exists already; without it a SoftHSM token is made inside `dir`. */
  readonly hsm?: ExistingHsm
  /** Of identity and checkpoint key. Default: the first of Ed25519, secp256k1 and P-256 that the token makes. */
  readonly keyType?: IdentityKey['type'] | undefined
}

/** A token that its vendor's tool has initialised. */
export interface ExistingHsm {
  readonly module: string
  readonly token: string
  readonly pinFile: string
  /** For its agent only. Never a secret. */
  readonly env?: Readonly<Record<string, string>> | undefined
  readonly libraryParameters?: string | undefined
  /** The KEK was made by the vendor's tool. */
  readonly adoptKek?: boolean | undefined
}

/** Of an HSM of that name, for the settings file. */
export function settingsOf(name: string, { module, token, pinFile, env, libraryParameters }: ExistingHsm): HsmSettings {
  const more = { ...(env === undefined ? {} : { env }), ...(libraryParameters === undefined ? {} : { libraryParameters }) }
  return { name, module: resolve(module), token, pin: { file: resolve(pinFile) }, ...more }
}

/** What a node tells the others of itself before there is a lock. Public. */
export interface NodeCard {
  readonly kind: 'node'
  readonly name: string
  readonly peerId: string
  readonly addresses: readonly string[]
  readonly identity: ReturnType<typeof formatKey>
  readonly checkpointKeys: readonly ReturnType<typeof formatKey>[]
}

/** What the ceremony makes, beside the settings; with a SoftHSM also what belongs to its token. */
const MADE = ['store', STORE_KEY_FILE, PEER_KEY_FILE, POLICY_FILE, CARD_FILE]
const MADE_WITH_TOKEN = [...MADE, ...softTokenFiles('')]

/** @throws {ConfigError} ALREADY_INITIALISED, INIT_INCOMPLETE, INIT_FAILED. */
async function claimDirectory(dir: string, made: readonly string[]): Promise<void> {
  const exists = (file: string) =>
    access(join(dir, file)).then(
      () => true,
      () => false,
    )
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new ConfigError('INIT_FAILED', `cannot make the directory ${dir}: ${messageOf(cause)}`, { dir }, cause)
  }
  if (await exists(SETTINGS_FILE)) {
    throw new ConfigError('ALREADY_INITIALISED', `${join(dir, SETTINGS_FILE)} exists: this directory belongs to a node already`, { dir })
  }
  // An earlier ceremony broke off. Its keys are in no lock yet, but only a person can say that nothing of it is needed.
  for (const file of made) {
    if (await exists(file)) {
      throw new ConfigError('INIT_INCOMPLETE', `${join(dir, file)} is left of a broken-off initialisation: remove it or take another one`, {
        dir,
      })
    }
  }
}

/**
 * The ceremony that makes a node: HSM token, KEK, identity and checkpoint key inside it, an empty store, settings, a policy that denies
 * all. When libp2p takes no peer ids of the identity's kind, also the key of one, sealed.
 *
 * @returns the card that goes into the cluster lock.
 * @throws {ConfigError} BAD_SETTINGS, ALREADY_INITIALISED, INIT_INCOMPLETE, INIT_FAILED, MODULE_MISSING; {VaultError}; {StoreError}.
 */
export async function initNode(init: NodeInit): Promise<NodeCard> {
  const dir = resolve(init.dir)
  const fileOf = (hsm: HsmSettings) => ({
    cluster: { lock: 'cluster.lock.json' },
    node: { name: init.name },
    hsm: [hsm],
    p2p: { listen: [...init.listen] },
    store: { path: 'store' },
    policy: { file: POLICY_FILE },
  })
  // A name or an address that the node would not start with is refused before anything is made.
  const draft = { name: 'primary', module: '/', token: 'draft', pin: { file: 'pin' } }
  parseSettings(stringify(fileOf(draft)), join(dir, SETTINGS_FILE))
  await claimDirectory(dir, init.hsm === undefined ? MADE_WITH_TOKEN : MADE)
  const made =
    init.hsm === undefined ? await prepareSoftToken(dir, { hsm: 'primary', token: `conclave-${init.name}`, suffix: '' }) : undefined
  const hsm = made?.hsm ?? settingsOf('primary', init.hsm ?? { module: '', token: '', pinFile: '' })
  const { identity, checkpointKey, tokenSerial } = await provisionHsm({
    ...hsm,
    ...(made === undefined ? {} : { createToken: { soPin: { file: made.soPinFile } } }),
    ...{ kekFrom: init.hsm?.adoptKek === true ? 'adopt' : 'generate', identityType: init.keyType, checkpointType: init.keyType },
  })
  const configured = { ...hsm, serial: tokenSerial }
  const storePath = join(dir, 'store')
  const vault = await openPkcs11Vault({ hsms: [configured] })
  let peerKey = identity
  try {
    if (!hasPeerId(identity)) peerKey = (await createPeerKey(vault, init.name, join(dir, PEER_KEY_FILE))).key
    const macKey = await vault.random(32)
    await writeFile(join(dirname(storePath), STORE_KEY_FILE), await vault.seal(storeKeyContext(init.name), macKey), {
      mode: 0o600,
      flag: 'wx',
    })
    macKey.fill(0)
  } finally {
    await vault.close()
  }
  await LevelStore.create(storePath)
  await writeFile(join(dir, POLICY_FILE), DENY_ALL, { flag: 'wx' })
  const card: NodeCard = {
    kind: 'node',
    name: init.name,
    peerId: peerIdOf(peerKey),
    addresses: [...(init.announce ?? init.listen)],
    identity: formatKey(identity),
    checkpointKeys: [formatKey(checkpointKey)],
  }
  await writeFile(join(dir, CARD_FILE), `${JSON.stringify(card, null, 2)}\n`, { flag: 'wx' })
  // Last, because its presence says that the ceremony is complete.
  await writeFile(join(dir, SETTINGS_FILE), stringify(fileOf(configured)), { mode: 0o600, flag: 'wx' })
  return card
}
