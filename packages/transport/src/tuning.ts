import { BACKLOG_BYTES_MAX } from './transport.ts'

/** Times and limits of the libp2p transport. The README says why each value is what it is. */
export interface Tuning {
  /** One dial: TCP, noise, yamux and opening the stream. */
  readonly dialTimeoutMs: number
  /** From the stream to both HELLOs. Also the time an inbound connection may stay without a link. */
  readonly helloTimeoutMs: number
  /** An inbound TCP connection must be authenticated within this. */
  readonly upgradeTimeoutMs: number
  /** Waits between dials double from `backoffMinMs` to `backoffMaxMs`, less a random part of up to a half. */
  readonly backoffMinMs: number
  readonly backoffMaxMs: number
  /** A link that lived shorter counts as one more failed attempt, so that a peer that breaks links at once is dialled rarely. */
  readonly stableMs: number
  /** One signature of the identity key, usually an HSM call. */
  readonly signTimeoutMs: number
  readonly pingIntervalMs: number
  /** A peer that does not answer a ping for this long is gone. */
  readonly pingTimeoutMs: number
  /** A graceful close that takes longer becomes an abort. */
  readonly closeTimeoutMs: number
  readonly backlogBytesMax: number
  /** Inbound connections that are not authenticated yet, from addresses outside the lock. */
  readonly pendingConnectionsMax: number
  /** Inbound connections a second and address, from addresses outside the lock. */
  readonly connectionsPerSecondMax: number
  /** Authenticated connections of one member at a time; more than one only while an old one is being replaced. */
  readonly connectionsPerMemberMax: number
}

export const defaultTuning: Tuning = {
  dialTimeoutMs: 10_000,
  helloTimeoutMs: 5_000,
  upgradeTimeoutMs: 5_000,
  backoffMinMs: 100,
  backoffMaxMs: 5_000,
  stableMs: 10_000,
  signTimeoutMs: 10_000,
  pingIntervalMs: 10_000,
  pingTimeoutMs: 15_000,
  closeTimeoutMs: 500,
  backlogBytesMax: BACKLOG_BYTES_MAX,
  pendingConnectionsMax: 64,
  connectionsPerSecondMax: 50,
  connectionsPerMemberMax: 4,
}

/** @param failures - attempts in a row that did not last, at least 1. @param random - in [0, 1). @returns milliseconds. */
export function backoffMs(failures: number, random: number, tuning: Pick<Tuning, 'backoffMinMs' | 'backoffMaxMs'>): number {
  const ceiling = Math.min(tuning.backoffMaxMs, tuning.backoffMinMs * 2 ** (failures - 1))
  return ceiling * (1 - random / 2)
}
