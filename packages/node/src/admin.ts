import { InvalidArgument } from '@conclave/core'
import type { Readiness } from '@conclave/telemetry'
import type { PoolStatus } from '@conclave/wire'
import { z } from 'zod'
import type { AdminHsm } from './admin-hsm.ts'
import type { AdminRoute } from './admin-server.ts'
import type { AuditAdmin } from './audit/audit-admin.ts'
import type { AuditState } from './audit/audit-state.ts'
import type { Checkup } from './checkup.ts'
import type { HsmAdmin } from './hsm-admin.ts'
import type { KeyAdmin } from './key-admin.ts'
import type { Phase } from './store/key-lives.ts'
import type { AdminWarning } from './warnings.ts'

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
  /** Keys that were destroyed here, and whether that is complete: the shares are erased first, the KEKs after them. */
  readonly destroyed: readonly { readonly keyId: string; readonly complete: boolean }[]
  readonly pairs: readonly AdminPair[]
  /** What has become of correlations since start, all peers together. */
  readonly pool: PoolStatus
  /** Of its own audit log; null without one. */
  readonly audit: AuditState | null
  readonly warnings: readonly AdminWarning[]
}

export interface AdminUnlock {
  readonly hsm: AdminHsm
  /** Its agent listens on the PIN socket of the settings. */
  readonly awaitsPin: boolean
}

export interface AdminKey {
  readonly keyId: string
  /** What the operator has made of the key. */
  readonly phase: Phase
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
  readonly audit: Pick<AuditAdmin, 'witnessed' | 'forget'>
  readonly hsm: Pick<HsmAdmin, 'status' | 'rewrap' | 'rotateKek'>
  readonly key: Pick<KeyAdmin, 'change' | 'destroy' | 'erasures'>
  status(): Promise<AdminStatus>
  /** What `conclave doctor` needs of the running node; asks every linked peer. */
  checkUp(): Promise<Checkup>
  /** @throws {InvalidArgument} UNKNOWN_PEER; {StoreError}. */
  resetPair(peer: string, reason: string): Promise<AdminPair>
  /**
   * Tries an HSM again that waits for a person: at most one login.
   *
   * @throws {InvalidArgument} UNKNOWN_HSM.
   */
  unlockHsm(name: string): Promise<AdminUnlock>
  /** @throws {ConclaveError} UNKNOWN_KEY; {StoreError}. */
  eraseOlder(keyId: string, reason: string): Promise<AdminKey>
}

const Without = z.strictObject({ without: z.array(z.string().min(1).max(32)).max(8).default([]) })

export const Reason = z
  .string()
  .trim()
  .min(1)
  .max(256)
  // It goes into a log that people read in a terminal.
  .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, 'must be one line without control characters')
const Reasoned = z.strictObject({ reason: Reason })
const Destroying = Without.extend({ reason: Reason, confirm: z.string().max(63) })

/** The last part of the path that asks for a phase. */
const ASKED = { activate: 'active', suspend: 'suspended', archive: 'archived' } as const

const Nothing = z.strictObject({})

/** @throws {InvalidArgument} BAD_BODY naming the field. */
export function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new InvalidArgument('BAD_BODY', `${issue?.path.join('.') || 'the body'}: ${issue?.message ?? 'not valid'}`)
}

/** Whether the node takes part in signatures now, for who has no HTTP listener to ask. */
export function readinessRoute(node: { readiness(): Promise<Readiness> }): AdminRoute {
  return { method: 'GET', path: /^\/v1\/readiness$/, handle: () => node.readiness() }
}

/** The commands as routes of the admin socket. */
export function adminRoutes(node: AdminCommands): readonly AdminRoute[] {
  return [
    { method: 'GET', path: /^\/v1\/status$/, handle: () => node.status() },
    { method: 'GET', path: /^\/v1\/checkup$/, handle: () => node.checkUp() },
    { method: 'GET', path: /^\/v1\/audit\/logs$/, handle: () => node.audit.witnessed() },
    {
      method: 'POST',
      path: /^\/v1\/audit\/logs\/([^/:]{1,128}):forget$/,
      handle: ([name = ''], body) => node.audit.forget(name, parse(Reasoned, body).reason),
    },
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
      path: /^\/v1\/hsms\/([^/:]{1,32}):unlock$/,
      handle: ([name = ''], body) => {
        parse(Nothing, body)
        return node.unlockHsm(name)
      },
    },
    {
      method: 'POST',
      path: /^\/v1\/keys\/([^/:]{1,128}):erase-older$/,
      handle: ([keyId = ''], body) => node.eraseOlder(keyId, parse(Reasoned, body).reason),
    },
    ...Object.entries(ASKED).map(
      ([act, phase]): AdminRoute => ({
        method: 'POST',
        path: new RegExp(`^/v1/keys/([^/:]{1,128}):${act}$`),
        handle: ([keyId = ''], body) => node.key.change(keyId, phase, parse(Reasoned, body).reason),
      }),
    ),
    {
      method: 'POST',
      path: /^\/v1\/keys\/([^/:]{1,128}):destroy$/,
      handle: ([keyId = ''], body) => {
        const { confirm, reason, without } = parse(Destroying, body)
        if (confirm !== keyId) throw new InvalidArgument('NOT_CONFIRMED', `the id of the key that is destroyed must be repeated: ${keyId}`)
        return node.key.destroy(keyId, reason, without)
      },
    },
    { method: 'GET', path: /^\/v1\/erasures$/, handle: async () => ({ erasures: node.key.erasures() }) },
  ]
}
