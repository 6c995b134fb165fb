/** What a coordinator may see of a node beside its status; part of control.proto. */

import { PAYLOAD_BYTES_MAX } from './request-messages.ts'
import { bytesBetween, message, text, type ValueOf } from './schema.ts'

export const LOOKED_BYTES_MAX = 1024 * 1024
/** A proposal is the longest. */
const ARGUMENT_BYTES_MAX = PAYLOAD_BYTES_MAX + 16 * 1024

export const Look = message('Look', { topic: text(32), argument: bytesBetween(0, ARGUMENT_BYTES_MAX) })
export const Looked = message('Looked', { body: bytesBetween(0, LOOKED_BYTES_MAX) })

export type Look = ValueOf<typeof Look>
export type Looked = ValueOf<typeof Looked>
