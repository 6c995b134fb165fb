import { randomBytes } from 'node:crypto'
import type { SigningRequest } from '@conclave/client'
import { fromHex, toHex } from '@conclave/core'
import { decodePayload } from '@conclave/policy'
import { unsignedTransfer } from '@conclave/testnet'
import type { SignedItem } from '@conclave/wire'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'chai'
import { type Rig, SUPPLIER } from './cluster.ts'

let nonce = 0n

/** A transfer that the policy allows and that no other call has given. */
export function transfer(changes: Partial<Parameters<typeof unsignedTransfer>[0]> = {}): string {
  return unsignedTransfer({ to: SUPPLIER, valueWei: 1n, nonce: nonce++, ...changes })
}

export const payload = (bytes: string = transfer()) => ({ type: 'evm.tx', bytes })

/** The signature of each item is there and valid under its key, by the digest that this test derives from what it asked for. */
export function expectSigned(request: SigningRequest, ...publicKeys: readonly string[]): void {
  expect(request.state, JSON.stringify(request)).to.equal('signed')
  expect(request.items).to.have.length(publicKeys.length)
  for (const [i, item] of request.items.entries()) {
    const digest = toHex(decodePayload('evm.tx', fromHex(item.payload.bytes.slice(2))).digest)
    expect(item.digest).to.equal(digest)
    expectValid(item.signature ?? '', digest, publicKeys[i] as string)
  }
  const first = request.items.length === 1 ? request.items[0] : undefined
  expect([request.digest, request.signature]).to.deep.equal([first?.digest ?? null, first?.signature ?? null])
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
  const answers = await observer.sign({ requestId: Uint8Array.from(randomBytes(32)), keyId: key.keyId, payloads: [bytes], signers })
  for (const { items } of answers) expectValid(toHex((items[0] as SignedItem).signature), toHex(digest), key.publicKey)
}

/** One signature through the API, start to end. */
export async function signOnce({ cluster }: Rig, key: { keyId: string; publicKey: string }): Promise<SigningRequest> {
  const { requestId } = await cluster.client.requestSignature({ keyId: key.keyId, payload: payload() })
  const request = await cluster.client.settled(requestId)
  expectSigned(request, key.publicKey)
  return request
}
