import { tagged, toHex, u32, utf8 } from '@conclave/core'
import { verifies } from '@conclave/mpc'
import type { Response } from '@conclave/wire'
import { expect } from 'chai'
import { Transaction } from 'micro-eth-signer'
import { ALLOWED, TestCluster } from './cluster.fixture.ts'

const KEY = 'treasury-1'
type Body = Response['body']

function transfer(valueWei: bigint, nonce = 0n, to = ALLOWED): Uint8Array {
  const raw = {
    to,
    value: valueWei,
    maxFeePerGas: 10n,
    maxPriorityFeePerGas: 1n,
    nonce,
    chainId: 31337n,
    gasLimit: 21000n,
    type: 'eip1559' as const,
  }
  return Transaction.prepare(raw, false).toBytes({ includeSignature: false })
}

const requestId = (i: number) => tagged('test-request', u32(i))
const pick = <K extends string>(body: Body, kind: K) => {
  expect(body, JSON.stringify(body)).to.have.property(kind)
  return (body as unknown as Record<K, Extract<Body, Record<K, unknown>>[K & keyof Extract<Body, Record<K, unknown>>]>)[kind]
}

async function createKey(c: TestCluster, keyId: string, nonce: string): Promise<Body[]> {
  const parties = c.lock.nodes.map((n) => n.index)
  return Promise.all(
    parties.map((j) => c.ask(j, { createKey: { keyId, nonce: tagged('nonce', utf8(nonce)), threshold: c.lock.quorum.required, parties } })),
  )
}

async function signWith(c: TestCluster, i: number, signers: readonly number[], payload: Uint8Array, attempt = 0): Promise<Body[]> {
  await Promise.all(signers.map((j) => c.ask(j, { propose: { requestId: requestId(i), keyId: KEY, payloadType: 'evm.tx', payload } })))
  return Promise.all(signers.map((j) => c.ask(j, { sign: { requestId: requestId(i), attempt, signers } })))
}

function expectSignature(bodies: readonly Body[], publicKey: Uint8Array): string {
  const signed = bodies.map((b) => pick(b, 'signed'))
  const first = signed[0]
  expect(first).to.not.equal(undefined)
  if (first === undefined) throw new Error('no answer')
  for (const s of signed) expect(toHex(s.signature)).to.equal(toHex(first.signature))
  expect(verifies(publicKey, first.digest, first.signature)).to.equal(true)
  return toHex(first.signature)
}

describe('node', () => {
  let cluster: TestCluster
  let publicKey: Uint8Array

  before(async () => {
    cluster = await TestCluster.create()
    await cluster.start()
    const created = (await createKey(cluster, KEY, 'first')).map((b) => pick(b, 'keyCreated'))
    publicKey = (created[0] as { publicKey: Uint8Array }).publicKey
    for (const k of created) expect(toHex(k.publicKey)).to.equal(toHex(publicKey))
  })
  after(() => cluster.close())

  it('node: any three sign what their policy allows', async () => {
    expectSignature(await signWith(cluster, 1, [1, 3, 5], transfer(5n)), publicKey)
    expectSignature(await signWith(cluster, 2, [2, 3, 4], transfer(6n)), publicKey)
  })

  it('node: two requests at once on one key both succeed', async () => {
    const [a, b] = await Promise.all([signWith(cluster, 3, [1, 2, 3], transfer(7n)), signWith(cluster, 4, [1, 2, 3], transfer(8n))])
    expect(expectSignature(a, publicKey)).to.not.equal(expectSignature(b, publicKey))
  })
})
