import { InvalidArgument } from '@conclave/core'
import type { PoolStatus } from '@conclave/wire'
import { z } from 'zod'
import type { AdminHsm } from './admin-hsm.ts'
import type { AdminRoute } from './admin-server.ts'
import type { Checkup } from './checkup.ts'
import type { HsmAdmin } from './hsm-admin.ts'

/** What a node tells its own operator of itself. */
export interface AdminStatus {
  readonly index: number
  readonly name: string
  readonly version: string
  readonly lock: { readonly clusterId: string; readonly version: number; readonly hash: string }
  /** In order of priority. */
  readonly hsm: readonly AdminHsm[]
  readonly keys: readonly AdminKey[]
  /** Who can open its backups; null when the settings name nobody. */
  readonly backup: { readonly required: number; readonly custodians: readonly string[] } | null
  readonly pairs: readonly AdminPair[]
  /** What has become of correlations since start, all peers together. */
  readonly pool: PoolStatus
}

export interface AdminKey {
  readonly keyId: string
  readonly epoch: number
  readonly state: 'active' | 'stale'
  readonly threshold: number
  readonly parties: readonly number[]
  readonly publicKey: string
  /** Other certified epochs whose shares are still here: until every party has moved on, or the operator erases them. */
  readonly kept: readonly number[]
  /** Epochs that were prepared and are not certified. */
  readonly prepared: readonly number[]
  /** The last backup of this key, and when it was made (ISO 8601, UTC). Of another epoch than the present one, it is of no use. */
  readonly lastBackup: { readonly epoch: number; readonly at: string } | null
  /** When the backup was made that this share came from (ISO 8601, UTC); null unless it was restored. */
  readonly restoredFrom: string | null
}

export interface AdminPair {
  readonly index: number
  readonly peer: string
  readonly isLinkUp: boolean
  readonly state: 'ready' | 'missing' | 'burned'
  /** Of the present state, 0 without one. */
  readonly pairEpoch: number
  /** Correlations that are ready for signing. */
  readonly stock: number
  /** Why the peer is banned, and since when (ISO 8601, UTC). */
  readonly ban: { readonly code: string; readonly pairEpoch: number; readonly at: string } | null
}

/** What an operator may ask of a running node. */
export interface AdminCommands {
  readonly hsm: Pick<HsmAdmin, 'status' | 'rewrap' | 'rotateKek'>
  status(): Promise<AdminStatus>
  /** What `conclave doctor` needs of the running node; asks every linked peer. */
  checkUp(): Promise<Checkup>
  /** @throws {InvalidArgument} UNKNOWN_PEER; {StoreError}. */
  resetPair(peer: string, reason: string): Promise<AdminPair>
  /** @throws {ConclaveError} UNKNOWN_KEY; {StoreError}. */
  eraseOlder(keyId: string, reason: string): Promise<AdminKey>
}

const Without = z.strictObject({ without: z.array(z.string().min(1).max(32)).max(8).default([]) })

const Reasoned = z.strictObject({
  reason: z
    .string()
    .trim()
    .min(1)
    .max(256)
    // It goes into a log that people read in a terminal.
    .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, 'must be one line without control characters'),
})

/** @throws {InvalidArgument} BAD_BODY naming the field. */
export function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new InvalidArgument('BAD_BODY', `${issue?.path.join('.') || 'the body'}: ${issue?.message ?? 'not valid'}`)
}

/** The commands as routes of the admin socket. */
export function adminRoutes(node: AdminCommands): readonly AdminRoute[] {
  return [
    { method: 'GET', path: /^\/v1\/status$/, handle: () => node.status() },
    { method: 'GET', path: /^\/v1\/checkup$/, handle: () => node.checkUp() },
    { method: 'GET', path: /^\/v1\/hsms$/, handle: () => node.hsm.status() },
    { method: 'POST', path: /^\/v1\/hsms:rewrap$/, handle: (_, body) => node.hsm.rewrap(parse(Without, body).without) },
    { method: 'POST', path: /^\/v1\/hsms:rotate-kek$/, handle: (_, body) => node.hsm.rotateKek(parse(Without, body).without) },
    {
      method: 'POST',
      path: /^\/v1\/pairs\/([^/:]{1,128}):reset$/,
      handle: ([peer = ''], body) => node.resetPair(peer, parse(Reasoned, body).reason),
    },
    {
      method: 'POST',
      path: /^\/v1\/keys\/([^/:]{1,128}):erase-older$/,
      handle: ([keyId = ''], body) => node.eraseOlder(keyId, parse(Reasoned, body).reason),
    },
  ]
}
