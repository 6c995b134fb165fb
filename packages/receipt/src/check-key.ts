import {
  type CertifiedKey,
  type ClusterLock,
  certificateHash,
  clusterContext,
  deriveChild,
  equalBytes,
  formatPath,
  fromHex,
  type IdentityKey,
  identitiesOf,
  type PartyId,
  toHex,
  verifyIdentity,
} from '@conclave/core'
import type { Statement } from '@conclave/policy'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import type { ReceiptCertificate, ReceiptDocument } from './receipt-document.ts'
import { refuse } from './receipt-error.ts'

function certifiedKey(c: ReceiptCertificate): CertifiedKey {
  const { keyId, origin, epoch, previousEpoch, threshold, parties, dealers } = c
  return {
    ...{ keyId, origin, epoch, previousEpoch, threshold, parties, dealers },
    ...{ previous: fromHex(c.previous), publicKey: fromHex(c.publicKey), chainCode: fromHex(c.chainCode), nonce: fromHex(c.nonce) },
    ...{ publicShares: c.publicShares.map((s) => fromHex(s)), sidParts: c.sidParts.map((s) => fromHex(s)) },
    ...{ transcript: fromHex(c.transcript), clusterContext: fromHex(c.clusterContext) },
  }
}

const isIncreasing = (values: readonly number[]): boolean => values.every((v, i) => i === 0 || v > (values[i - 1] as number))

/** Of the lock that the certificate names; without it, of the newest one that there is: who is still in it signed with the same key. */
function committeeKeys(locks: readonly ClusterLock[], context: Uint8Array): ReadonlyMap<PartyId, IdentityKey> {
  const named = locks.find((lock) => equalBytes(clusterContext(lock), context))
  return identitiesOf(named ?? locks.reduce((a, b) => (b.version > a.version ? b : a)))
}

/**
 * R5: the whole committee of the key has attested it, and it is the key that the statement names.
 *
 * @throws {ReceiptError} RECEIPT_KEY.
 */
export function checkKey(certificate: ReceiptCertificate, statement: Statement, locks: readonly ClusterLock[]): void {
  const key = certifiedKey(certificate)
  const { parties, threshold } = key
  const required = Math.min(...locks.map((lock) => lock.quorum.required))
  if (key.keyId !== statement.keyId) refuse('RECEIPT_KEY', 'the certificate is of another key than the statement')
  if (!isIncreasing(parties) || threshold > parties.length || threshold < required || key.publicShares.length !== parties.length)
    refuse('RECEIPT_KEY', 'the certificate is of no committee that can be')
  const keys = committeeKeys(locks, key.clusterContext)
  const hash = certificateHash(key)
  const { attestations } = certificate
  const isAttested = (j: PartyId, i: number) => {
    const [identity, attestation] = [keys.get(j), attestations[i]]
    return identity !== undefined && attestation?.party === j && verifyIdentity(identity, hash, fromHex(attestation.signature))
  }
  if (attestations.length !== parties.length || !parties.every(isAttested))
    refuse('RECEIPT_KEY', 'not every node of its committee has attested the key; give the cluster lock under which it was made, too')
}

/**
 * R6: a signature of each digest of the statement, in its order, under the child key of its path.
 *
 * @throws {ReceiptError} RECEIPT_SIGNATURE.
 */
export function checkSignatures({ key, signatures }: ReceiptDocument, statement: Statement): void {
  const root = { publicKey: fromHex(key.publicKey), chainCode: fromHex(key.chainCode) }
  const digests = statement.items.flatMap((item) => item.digests)
  if (signatures.length !== digests.length) refuse('RECEIPT_SIGNATURE', `${signatures.length} signatures of ${digests.length} digests`)
  for (const [i, { path, digest }] of digests.entries()) {
    const said = signatures[i] as ReceiptDocument['signatures'][number]
    const publicKey = deriveChild(root, path).publicKey
    const isSame = said.path === formatPath(path) && said.digest === toHex(digest) && said.publicKey === toHex(publicKey)
    if (!isSame) refuse('RECEIPT_SIGNATURE', `signature ${i + 1} is of another digest, path or key`)
    if (!isSignature(fromHex(said.signature), digest, publicKey)) refuse('RECEIPT_SIGNATURE', `signature ${i + 1} is wrong`)
  }
}

function isSignature(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean {
  try {
    return secp256k1.verify(signature, digest, publicKey, { prehash: false, lowS: true, format: 'compact' })
  } catch {
    // The library throws on r or s out of range: the same as a wrong one.
    return false
  }
}
