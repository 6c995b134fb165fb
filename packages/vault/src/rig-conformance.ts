import { type SecretBytes, toHex, VaultError } from '@conclave/core'
import type { KeyVault, SealContext } from './key-vault.ts'

/** A node with two provisioned HSMs named `primary` and `backup`, the first holding the identity. */
export interface ConformanceRig {
  /** A vault over both. Opening another one is a restart of the node. */
  open(): Promise<KeyVault>
  /** Takes an HSM away, in a way that a restart of the node does not cure. */
  kill(hsm: 'primary' | 'backup'): Promise<void>
  revive(hsm: 'primary' | 'backup'): Promise<void>
  /** Removes everything. */
  dispose(): Promise<void>
}

export interface ConformanceProvider {
  /** Why this provider cannot run on this machine, if it cannot: its tests are then reported as pending, by name. */
  readonly missing?: string | undefined
  create(): Promise<ConformanceRig>
  /** Which of its HSMs hold a checkpoint key. Default: both. */
  readonly checkpointHsms?: readonly ('primary' | 'backup')[] | undefined
  /** Whether its tokens make KEKs over PKCS#11. Default: yes. */
  readonly makesKeys?: boolean
  /** Defines further tests of this provider, over the same rig. */
  readonly more?: () => void
}

export const CONFORMANCE_CONTEXT: SealContext = {
  clusterId: 'c1'.repeat(32),
  nodeId: 'zurich',
  recordType: 'key-share',
  keyId: 'treasury',
  epoch: 4,
  version: 7,
}
export const CONFORMANCE_SECRET = Uint8Array.from({ length: 32 }, (_, i) => i + 1)

/** The error that `promise` is rejected with; fails the test when it is not a {VaultError} or when the promise resolves. */
export async function refusal(promise: Promise<unknown>): Promise<VaultError> {
  const error = await promise.then(
    () => undefined,
    (e: unknown) => e,
  )
  if (error === undefined) throw new Error('expected a refusal, got a result')
  if (!(error instanceof VaultError)) throw error
  return error
}

/** What the record holds, wiped before it is returned as hex. */
export async function opened(secret: Promise<SecretBytes>): Promise<string> {
  using bytes = await secret
  return toHex(bytes.bytes)
}
