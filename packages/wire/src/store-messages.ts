/** What a node stores: store.proto. */
import { PARTIES_MAX } from '@conclave/core'
import { Attestation, KeyCertificate, KeyPublic } from './messages.ts'
import { bytes, bytesBetween, bytesOrEmpty, flag, list, message, number, text, type ValueOf } from './schema.ts'

const HASH = bytes(32)
const INDEX = number(PARTIES_MAX)
const KEY_ID = text(63)
const CODE = text(64)

export const PairPublic = message('PairPublic', { self: INDEX, peer: INDEX, pairEpoch: number(), transcript: HASH, clusterContext: HASH })
const SEALED = bytesBetween(1, 64 * 1024)
export const PendingKey = message('PendingKey', { key: KeyPublic, sealed: SEALED, attestations: list(Attestation, PARTIES_MAX) })
export const StoredKey = message('StoredKey', { certificate: KeyCertificate, sealed: SEALED, proved: flag })
export const StoredPair = message('StoredPair', { pair: PairPublic, sealed: SEALED })
export const StoredBurn = message('StoredBurn', { peer: INDEX, pairEpoch: number(), code: CODE, at: bytes(8), peerId: text(64) })
export const StoredPairEpoch = message('StoredPairEpoch', { peer: INDEX, pairEpoch: number() })
export const StoredKeyLife = message('StoredKeyLife', {
  keyId: KEY_ID,
  phase: CODE,
  at: bytes(8),
  reason: text(256),
  publicKey: bytesOrEmpty(33),
  epochs: list(number(), 64),
  kekGeneration: number(),
})

export type PairPublic = ValueOf<typeof PairPublic>
export type PendingKey = ValueOf<typeof PendingKey>
export type StoredKey = ValueOf<typeof StoredKey>
export type StoredPair = ValueOf<typeof StoredPair>
export type StoredKeyLife = ValueOf<typeof StoredKeyLife>
