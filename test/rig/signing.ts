import { randomBytes } from 'node:crypto'
import type { SigningRequest } from '@conclave/client'
import { fromHex, toHex } from '@conclave/core'
import { decodePayload } from '@conclave/policy'
import { unsignedTransfer } from '@conclave/testnet'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'chai'
import { type Rig, SUPPLIER } from './cluster.ts'

let nonce = 0n

/** A transfer that the policy allows and that no other call has given. */
export function transfer(changes: Partial<Parameters<typeof unsignedTransfer>[0]> = {}): string {
  return unsignedTransfer({ to: SUPPLIER, valueWei: 1n, nonce: nonce++, ...changes })
}

export const payload = (bytes: string = transfer()) => ({ type: 'evm.tx', bytes })

/** The signature is there and valid, by the digest that this test derives from what it asked for. */
export function expectSigned(request: SigningRequest, publicKey: string): void {
  expect(request.state, JSON.stringify(request)).to.equal('signed')
  const { digest } = decodePayload('evm.tx', fromHex(request.payload.bytes.slice(2)))
  expect(request.digest).to.equal(toHex(digest))
  expectValid(request.signature ?? '', toHex(digest), publicKey)
}

export function expectValid(signature: string, digest: string, publicKey: string): void {
  const options = { prehash: false, lowS: true }
  expect(secp256k1.verify(fromHex(signature, 64), fromHex(digest, 32), fromHex(publicKey, 33), options), 'a valid signature').to.equal(true)
}

export async function createKey({ cluster }: Rig, keyId: string): Promise<string> {
  const { operationId } = await cluster.client.createKey({ keyId })
  return (await cluster.client.waitForKey(operationId)).publicKey
}

/** Exactly these nodes sign, asked directly; the signature of each answer is checked. */
export async function signWith({ observer }: Rig, key: { keyId: string; publicKey: string }, signers: readonly number[]): Promise<void> {
  const bytes = fromHex(transfer().slice(2))
  const { digest } = decodePayload('evm.tx', bytes)
  const answers = await observer.sign({ requestId: Uint8Array.from(randomBytes(32)), keyId: key.keyId, payload: bytes, signers })
  for (const { signature } of answers) expectValid(toHex(signature), toHex(digest), key.publicKey)
}

/** One signature through the API, start to end. */
export async function signOnce({ cluster }: Rig, key: { keyId: string; publicKey: string }): Promise<SigningRequest> {
  const { requestId } = await cluster.client.requestSignature({ keyId: key.keyId, payload: payload() })
  const request = await cluster.client.settled(requestId)
  expectSigned(request, key.publicKey)
  return request
}
