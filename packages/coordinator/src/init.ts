import { createHash, randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { ConfigError } from '@conclave/core'
import { peerIdOf } from '@conclave/transport'
import { stringify } from 'yaml'
import { createIdentityFile } from './identity-file.ts'

export const SETTINGS_FILE = 'coordinator.yaml'
const CARD_FILE = 'card.json'
const API_KEY_FILE = 'api-key'

export interface CoordinatorInit {
  readonly dir: string
  readonly name: string
  /** Multiaddrs on which nodes may dial it. */
  readonly listen: readonly string[]
  /** host:port of the API. */
  readonly http: string
}

/** What goes into the cluster lock. Public. */
export interface CoordinatorCard {
  readonly kind: 'coordinator'
  readonly name: string
  readonly peerId: string
  readonly addresses: readonly string[]
}

async function writeNew(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { mode: 0o600, flag: 'wx' })
  } catch (cause) {
    throw new ConfigError('ALREADY_INITIALISED', `cannot create ${file}: does it exist already?`, { file }, cause)
  }
}

/**
 * Makes a coordinator's directory: identity, settings, one administrator's API key (only its hash is in the settings).
 *
 * @throws {ConfigError} IDENTITY_FILE_EXISTS, ALREADY_INITIALISED.
 */
export async function initCoordinator(init: CoordinatorInit): Promise<{ card: CoordinatorCard; cardFile: string; apiKeyFile: string }> {
  const dir = resolve(init.dir)
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const signer = await createIdentityFile(join(dir, 'identity'))
  const apiKey = randomBytes(24).toString('base64url')
  const settings = {
    cluster: { lock: 'cluster.lock.json' },
    coordinator: { name: init.name, identity: { file: 'identity' } },
    http: { listen: init.http },
    p2p: { listen: [...init.listen] },
    store: { path: 'store' },
    api: { keys: [{ name: 'admin', role: 'admin', sha256: createHash('sha256').update(apiKey).digest('hex') }] },
  }
  const card: CoordinatorCard = { kind: 'coordinator', name: init.name, peerId: peerIdOf(signer.key), addresses: [...init.listen] }
  const apiKeyFile = join(dir, API_KEY_FILE)
  const cardFile = join(dir, CARD_FILE)
  await writeNew(apiKeyFile, `${apiKey}\n`)
  await writeNew(cardFile, `${JSON.stringify(card, null, 2)}\n`)
  await writeNew(join(dir, SETTINGS_FILE), stringify(settings))
  return { card, cardFile, apiKeyFile }
}
