import { join } from 'node:path'
import { freezeHash, fromHex, toHex } from '@conclave/core'
import { askAdmin } from '../admin-client.ts'
import { approverSigner } from '../approvals/approver-key.ts'
import { readLock } from '../daemon.ts'
import { SETTINGS_FILE } from '../init.ts'
import { readSettings } from '../settings.ts'
import type { AdminFreeze } from './freeze-keeper.ts'

export interface FreezeOrder {
  readonly dir: string
  readonly scope: string
  readonly reason: string
  /** An approver and the file with his key; without, the node itself freezes. */
  readonly approver?: { readonly id: string; readonly keyFile: string } | undefined
  readonly nowMs: number
}

const settingsOf = (dir: string) => readSettings(join(dir, SETTINGS_FILE))

/** What is frozen at the node of this directory, and what was. */
export async function readFreezes(dir: string): Promise<readonly AdminFreeze[]> {
  return ((await askAdmin(settingsOf(dir).adminSocket, '/v1/freezes')) as { freezes: readonly AdminFreeze[] }).freezes
}

/** @throws {InvalidArgument} BAD_SCOPE; what the node answers. */
export async function askFreeze({ dir, scope, reason, approver, nowMs }: FreezeOrder): Promise<AdminFreeze> {
  const { adminSocket, lockFile } = settingsOf(dir)
  if (approver === undefined) return (await askAdmin(adminSocket, '/v1/freezes', { scope, reason })) as AdminFreeze
  const { clusterId } = await readLock(lockFile)
  const sign = await approverSigner(approver.keyFile)
  const word = { scope, reason, by: `approver:${approver.id}`, atMs: nowMs }
  const signature = toHex(sign(freezeHash(fromHex(clusterId), word)))
  return (await askAdmin(adminSocket, '/v1/freezes:signed', { ...word, signature })) as AdminFreeze
}

/** @param id - hex. */
export async function askThaw(dir: string, id: string, reason: string): Promise<AdminFreeze> {
  return (await askAdmin(settingsOf(dir).adminSocket, `/v1/freezes/${encodeURIComponent(id)}:thaw`, { reason })) as AdminFreeze
}
