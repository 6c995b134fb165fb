import { toHex } from '@conclave/core'
import { type PayloadFacts, undecodable } from './payload-facts.ts'

/** A bare digest: nobody can tell what it stands for. */
export interface DecodedRawDigest extends PayloadFacts {
  readonly type: 'raw'
  /** 32 bytes: the payload itself. */
  readonly digest: Uint8Array
  readonly chainId: undefined
  readonly destinations: undefined
}

/** Takes 32 bytes as the digest that is signed. @throws {InvalidArgument} PAYLOAD_UNDECODABLE on another length. */
export function decodeRawDigest(payload: Uint8Array): DecodedRawDigest {
  if (payload.length !== 32) undecodable('raw', 'a digest is 32 bytes')
  const digest = Uint8Array.from(payload)
  return {
    type: 'raw',
    digest,
    digests: [{ digest, path: undefined }],
    changePaths: [],
    ...{ chainId: undefined, destinations: undefined, amounts: [], feeMax: 0n, call: 'blind', method: undefined },
    summary: [
      { label: 'Type', value: 'Bare digest' },
      { label: 'Warning', value: 'nobody can tell what it stands for: it may be a payment of everything' },
      { label: 'Digest', value: `0x${toHex(digest)}` },
    ],
  }
}
