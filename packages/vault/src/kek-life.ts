import { codeOf, type IdentityKey, sameIdentity } from '@conclave/core'
import type { Hsm } from './hsm.ts'
import { destroyKeks, rewrapShelf, rotateKeks } from './kek-rotation.ts'
import type { HsmKeks, KeyVault } from './key-vault.ts'
import type { RecordShelf } from './record-shelf.ts'
import { vaultError } from './vault-error.ts'

export interface KekLifeParts {
  readonly hsms: readonly Hsm[]
  /** Of the node. */
  readonly identity: IdentityKey
  readonly isClosing: () => boolean
  /** The seals and opens that run now. */
  readonly inFlight: ReadonlySet<Promise<unknown>>
}

export type KekLife = Pick<KeyVault, 'keks' | 'rewrap' | 'rotateKek' | 'destroyKeks'>

/**
 * What a vault does with its KEKs over the years; one rewrap, rotation or destruction at a time. Each ends at its next step when the vault
 * is closed, as if the process had been killed there, and the next one completes it.
 */
export function kekLife({ hsms, identity, inFlight, isClosing }: KekLifeParts): KekLife {
  let isRunning = false

  const checkpoint = () => {
    if (isClosing()) throw vaultError('CLOSED', 'the vault is closed')
  }

  const alone = async <T>(act: () => Promise<T>): Promise<T> => {
    checkpoint()
    if (isRunning) throw vaultError('BUSY', 'the KEKs or records of this node are being changed already')
    isRunning = true
    try {
      return await act()
    } finally {
      isRunning = false
    }
  }

  const drained = async () => {
    await Promise.allSettled(inFlight)
  }

  const keksOf = async (hsm: Hsm): Promise<HsmKeks> => {
    try {
      return { name: hsm.name, ok: true, ...(await hsm.keks()) }
    } catch (error) {
      return { name: hsm.name, ok: false, code: codeOf(error) }
    }
  }

  const destroyOf = async (name: string, shelf: RecordShelf) => {
    const held = (await hsms.find((h) => h.name === name)?.describe())?.identity
    if (held !== undefined && sameIdentity(held, identity))
      throw vaultError('IDENTITY_HELD', `hsm "${name}" holds the identity of the node, which cannot go on without it`)
    return destroyKeks({ hsms, shelf, checkpoint }, name)
  }

  return {
    async keks() {
      checkpoint()
      return Promise.all(hsms.map(keksOf))
    },
    rewrap: (shelf, { without = [] } = {}) => alone(() => rewrapShelf({ hsms, shelf, without, checkpoint })),
    rotateKek: (shelf, { without = [] } = {}) => alone(() => rotateKeks({ hsms, shelf, without, checkpoint }, drained)),
    destroyKeks: (hsm, shelf) => alone(() => destroyOf(hsm, shelf)),
  }
}
