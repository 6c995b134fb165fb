import { createSecretKey, hkdfSync } from 'node:crypto'
import { codeOf, concat, type IdentitySigner, InvalidArgument, type Random, utf8 } from '@conclave/core'
import { openRecord, sealRecord } from './envelope.ts'
import type { Hsm } from './hsm.ts'
import type { HsmHealth, KeyVault, SealContext } from './key-vault.ts'
import { canFailOver, vaultError } from './vault-error.ts'

const RANDOM_BYTES_MAX = 1024
/** From each of the two sources, whatever length is asked for. */
const ENTROPY_BYTES = 64

export interface VaultParts {
  /** In order of priority. */
  readonly hsms: readonly Hsm[]
  readonly identity: IdentitySigner
  readonly random: Random
  /** Milliseconds from any fixed point, for latencies. */
  readonly elapsedMs: () => number
}

async function hsmEntropy(hsms: readonly Hsm[]): Promise<Uint8Array> {
  let failure: unknown
  for (const hsm of hsms) {
    try {
      return await hsm.random(ENTROPY_BYTES)
    } catch (error) {
      if (!canFailOver(error)) throw error
      failure ??= error
    }
  }
  throw failure
}

/** The vault over any kind of HSM: what PKCS#11 and memory have in common, which is everything but the HSM. */
export function createVault({ hsms, identity, random: systemEntropy, elapsedMs }: VaultParts): KeyVault {
  const missedSeals = new Map<Hsm, number>()
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
    await Promise.all(hsms.map((hsm) => hsm.close()))
  }

  const healthOf = async (hsm: Hsm): Promise<HsmHealth> => {
    const startMs = elapsedMs()
    const rest = { name: hsm.name, missedSeals: missedSeals.get(hsm) ?? 0 }
    try {
      await hsm.ping()
      return { ...rest, ok: true, code: undefined, latencyMs: elapsedMs() - startMs }
    } catch (error) {
      return { ...rest, ok: false, code: codeOf(error), latencyMs: undefined }
    }
  }

  const random = async (length: number): Promise<Uint8Array> => {
    if (!Number.isInteger(length) || length < 1 || length > RANDOM_BYTES_MAX) {
      throw new InvalidArgument('BAD_LENGTH', `random gives 1 to ${RANDOM_BYTES_MAX} bytes`, { length })
    }
    const fromHsm = await hsmEntropy(hsms)
    const ikm = concat(fromHsm, systemEntropy.bytes(ENTROPY_BYTES))
    const out = new Uint8Array(hkdfSync('sha256', createSecretKey(ikm), new Uint8Array(0), utf8('conclave-random-v1'), length))
    fromHsm.fill(0)
    ikm.fill(0)
    return out
  }

  const seal = async (context: SealContext, secret: Uint8Array): Promise<Uint8Array> => {
    const { record, missed } = await sealRecord(hsms, systemEntropy, context, secret)
    for (const hsm of missed) missedSeals.set(hsm, (missedSeals.get(hsm) ?? 0) + 1)
    return record
  }

  return {
    identity: { key: identity.key, sign: (message) => serve(() => identity.sign(message)) },
    seal: (context, secret) => serve(() => seal(context, secret)),
    open: (expected, record) => serve(() => openRecord(hsms, expected, record)),
    random: (length) => serve(() => random(length)),
    health: () => serve(() => Promise.all(hsms.map(healthOf))),
    close() {
      closing ??= closeAll()
      return closing
    },
  }
}
