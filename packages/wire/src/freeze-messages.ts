/** Freezes and thaws: freeze.proto. */
import { FREEZE_SCOPE_CHARS_MAX, PARTIES_MAX } from '@conclave/core'
import { bytes, bytesBetween, list, message, text, type ValueOf } from './schema.ts'

/** In one frame of gossip. */
export const FREEZES_TOLD_MAX = 32

const SIGNATURE = bytesBetween(1, 72)

export const Freeze = message('Freeze', {
  scope: text(FREEZE_SCOPE_CHARS_MAX),
  reason: text(256),
  by: text(80),
  at: bytes(8),
  signature: SIGNATURE,
})
export const Thaw = message('Thaw', { freeze: bytes(32), node: text(32), reason: text(256), at: bytes(8), signature: SIGNATURE })
export const FreezeRecord = message('FreezeRecord', { freeze: Freeze, thaws: list(Thaw, PARTIES_MAX) })
export const FreezeGossip = message('FreezeGossip', { records: list(FreezeRecord, FREEZES_TOLD_MAX) })

export type Freeze = ValueOf<typeof Freeze>
export type Thaw = ValueOf<typeof Thaw>
export type FreezeRecord = ValueOf<typeof FreezeRecord>
export type FreezeGossip = ValueOf<typeof FreezeGossip>
