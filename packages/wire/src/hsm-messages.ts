/** What nodes say of their HSMs; part of control.proto. */
import { bytes, message, number, text, type ValueOf } from './schema.ts'

/** Of one node. */
export const HSMS_MAX = 8

export const HsmStatus = message('HsmStatus', {
  name: text(32),
  state: text(16),
  since: bytes(8),
  code: text(64),
  failures: number(),
  latencyUs: number(),
  missed: number(),
  short: number(),
})

export type HsmStatus = ValueOf<typeof HsmStatus>
