import { type IdentityKey, type IdentitySigner, InvalidArgument, type Random, sameIdentity, type VaultError } from '@conclave/core'
import { ENTROPY_BYTES, mixEntropy } from './entropy.ts'
import { firstFailure, inTurn, openRecord, sealRecord } from './envelope.ts'
import type { Hsm } from './hsm.ts'
import { HsmRoster, type RosterParts } from './hsm-roster.ts'
import { tokenSigner } from './identity-signer.ts'
import { kekLife } from './kek-life.ts'
import type { CheckpointSigner, KeyVault, SealContext } from './key-vault.ts'
import { canFailOver, vaultError } from './vault-error.ts'

const RANDOM_BYTES_MAX = 1024

export interface VaultParts extends RosterParts {
  /** The identity, made over the HSM that holds it as the vault uses it. */
  readonly identity: { readonly holder: Hsm; signer(holder: Hsm): IdentitySigner }
  /** Those that may sign checkpoints. */
  readonly checkpointKeys: readonly IdentityKey[]
  readonly random: Random
}

/** Of the first HSM that is up. @throws what the first one said when none is; {VaultError} KEY_MISSING when all say `undefined`. */
async function firstOf<T>(hsms: readonly Hsm[], act: (hsm: Hsm) => Promise<T | undefined>, nobody: string): Promise<T> {
  const failures = new Map<Hsm, VaultError>()
  for (const hsm of inTurn(hsms)) {
    try {
      const result = await act(hsm)
      if (result !== undefined) return result
    } catch (error) {
      if (!canFailOver(error)) throw error
      failures.set(hsm, error)
    }
  }
  if (failures.size === 0) throw vaultError('KEY_MISSING', nobody)
  throw firstFailure(hsms, failures)
}

/** Keys are told by the HSMs themselves, so that one that was down at the start signs when it is back. */
function checkpointSigner(hsms: readonly Hsm[], keys: readonly IdentityKey[]): CheckpointSigner {
  const signWith = async (hsm: Hsm, message: Uint8Array) => {
    const { checkpoint: key } = await hsm.describe()
    if (key === undefined || !keys.some((k) => sameIdentity(k, key))) return undefined
    return { key, signature: await tokenSigner(hsm, 'checkpoint', key).sign(message) }
  }
  return { keys, sign: (message) => firstOf(hsms, (hsm) => signWith(hsm, message), 'no HSM holds a checkpoint key of this node') }
}

/** The vault over any kind of HSM: what PKCS#11 and memory have in common, which is everything but the HSM. */
export function createVault({ identity, checkpointKeys, random: systemEntropy, ...parts }: VaultParts): KeyVault {
  const roster = new HsmRoster(parts)
  const { hsms } = roster
  const signer = identity.signer(hsms[parts.hsms.indexOf(identity.holder)] ?? identity.holder)
  const checkpoints = checkpointSigner(hsms, checkpointKeys)
  let closing: Promise<void> | undefined

  const inFlight = new Set<Promise<unknown>>()

  /** Runs one public operation, so that `close` can wait for all of its steps. */
  const serve = async <T>(act: () => Promise<T>): Promise<T> => {
    if (closing !== undefined) throw vaultError('CLOSED', 'the vault is closed')
    const running = act()
    inFlight.add(running)
    try {
      return await running
    } finally {
      inFlight.delete(running)
    }
  }

  const closeAll = async () => {
    await Promise.allSettled(inFlight)
    await roster.close()
  }

  const random = async (length: number): Promise<Uint8Array> => {
    if (!Number.isInteger(length) || length < 1 || length > RANDOM_BYTES_MAX) {
      throw new InvalidArgument('BAD_LENGTH', `random gives 1 to ${RANDOM_BYTES_MAX} bytes`, { length })
    }
    const fromHsm = await firstOf(hsms, (hsm) => hsm.random(ENTROPY_BYTES), 'no HSM')
    return mixEntropy(fromHsm, systemEntropy.bytes(ENTROPY_BYTES), length)
  }

  const life = kekLife({ hsms, identity: signer.key, inFlight, isClosing: () => closing !== undefined })

  const seal = async (context: SealContext, secret: Uint8Array): Promise<Uint8Array> => {
    const { record, missed } = await sealRecord(hsms, systemEntropy, context, secret)
    roster.missed(context, missed)
    return record
  }

  return {
    identity: { key: signer.key, sign: (message) => serve(() => signer.sign(message)) },
    checkpointSigner: { keys: checkpoints.keys, sign: (message) => serve(() => checkpoints.sign(message)) },
    seal: (context, secret) => serve(() => seal(context, secret)),
    open: (expected, record) => serve(() => openRecord(hsms, expected, record, (by) => roster.opened(by))),
    random: (length) => serve(() => random(length)),
    health: () => serve(() => roster.health()),
    watch: (listener) => roster.watch(listener),
    missingFrom: (record) => roster.missingFrom(record),
    hsm(name) {
      const { pinSocket, takeOut, putBack, retry } = roster.control(name)
      return { pinSocket, takeOut, putBack: () => serve(putBack), retry: () => serve(retry) }
    },
    ...life,
    close() {
      closing ??= closeAll()
      return closing
    },
  }
}
