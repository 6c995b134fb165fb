import { ConclaveClient } from '@conclave/client'
import { ConclaveAccountError, type ConclaveAccountOptions, toConclaveAccount } from '@conclave/client/viem'
import { API_KEYS, Harness } from '@conclave/coordinator/testing'
import { codeOf, fromHex, toHex } from '@conclave/core'
import { decodePayload } from '@conclave/policy'
import { senderOf, unsignedTransfer } from '@conclave/testnet'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'chai'
import { MAIL_CONTRACT, SUPPLIER } from '../rig/cluster.ts'

const PATH = 'm/0/5'
const TRANSFER = { to: SUPPLIER, value: 7n, nonce: 0, chainId: 31337, gas: 21_000n } as const
const TRANSACTIONS = [
  { ...TRANSFER, type: 'eip1559', maxFeePerGas: 2n, maxPriorityFeePerGas: 1n },
  { ...TRANSFER, type: 'eip2930', gasPrice: 2n, nonce: 1 },
  { ...TRANSFER, type: 'legacy', gasPrice: 2n, nonce: 2 },
] as const
const LOG_IN = {
  types: {
    Mail: [
      { name: 'contents', type: 'string' },
      { name: 'amount', type: 'uint256' },
      { name: 'many', type: 'uint8[]' },
    ],
  },
  primaryType: 'Mail',
  domain: { name: 'Ether Mail', version: '1', chainId: 1n, verifyingContract: MAIL_CONTRACT },
  message: { contents: 'Hello', amount: 2n ** 200n, many: [1, 2] },
} as const

async function failureOf(action: Promise<unknown>): Promise<string> {
  return action.then(
    () => expect.fail('nothing was thrown'),
    (error: unknown) => (error instanceof ConclaveAccountError ? error.code : codeOf(error)),
  )
}

describe('viem account', () => {
  let h: Harness
  before(async () => {
    h = await Harness.start()
  })
  after(() => h[Symbol.asyncDispose]())

  const client = () => new ConclaveClient({ url: h.coordinator?.url as string, apiKey: API_KEYS.admin, retryFirstMs: 0 })
  const accountOf = (options: Partial<ConclaveAccountOptions> = {}) =>
    toConclaveAccount({ client: client(), keyId: 'main', path: PATH, ...options })
  /** Whoever signed a digest, by his public key. */
  const signerOf = (signature: string, digest: Uint8Array) => {
    const [rs, v] = [fromHex(signature.slice(2, 130)), Number.parseInt(signature.slice(130), 16)]
    return toHex(
      secp256k1.Signature.fromBytes(rs)
        .addRecoveryBit(v - 27)
        .recoverPublicKey(digest)
        .toBytes(),
    )
  }

  it('signs transactions of each format, which an independent library says are of that account', async () => {
    const account = await accountOf()
    expect(account.address).equal((await client().derivedKey('main', PATH)).address)
    for (const transaction of TRANSACTIONS) expect(senderOf(await account.signTransaction(transaction))).equal(account.address)
    const root = await accountOf({ path: 'm' })
    expect(root.address).equal((await client().key('main')).address)
    expect(senderOf(await root.signTransaction(TRANSACTIONS[0]))).equal(root.address)
  })

  it('the serializer that viem names makes the bytes that are asked for, and the result', async () => {
    const account = await accountOf()
    const asked: boolean[] = []
    const unsigned = unsignedTransfer({ to: SUPPLIER, valueWei: 1n, nonce: 3n }) as `0x${string}`
    const serializer = (_: object, signature?: object) => {
      asked.push(signature !== undefined)
      return signature === undefined ? unsigned : '0xabc'
    }
    expect(await account.signTransaction(TRANSACTIONS[0], { serializer })).equal('0xabc')
    expect(asked).deep.equal([false, true])
    expect((await client().signingRequests({ limit: 1 })).items[0]?.payload?.bytes).equal(unsigned)
  })

  it('signs typed data with whole numbers of any size, by the digest that the nodes derive', async () => {
    const account = await accountOf()
    const signature = await account.signTypedData(LOG_IN)
    const { payload } = (await client().signingRequests({ limit: 1 })).items[0] as { payload: { type: 'eip712'; bytes: string } }
    const { digest } = decodePayload('eip712', fromHex(payload.bytes.slice(2)))
    expect(signerOf(signature, digest)).equal((await client().derivedKey('main', PATH)).publicKey)
  })

  it('a message is asked for as a bare digest only where that is allowed, and a hash never', async () => {
    const account = await accountOf()
    expect(await failureOf(account.signMessage({ message: 'log in' }))).equal('BARE_DIGEST')
    expect(await failureOf(account.sign?.({ hash: `0x${'1'.repeat(64)}` }) as Promise<unknown>)).equal('BARE_DIGEST')
    const signature = await (await accountOf({ allowRawMessages: true })).signMessage({ message: 'log in' })
    const { payload } = (await client().signingRequests({ limit: 1 })).items[0] as { payload: { type: string; bytes: string } }
    expect(payload.type).equal('raw')
    expect(signerOf(signature, fromHex(payload.bytes.slice(2)))).equal((await client().derivedKey('main', PATH)).publicKey)
  })

  it('an address that the platform did not expect, and a signature of somebody else, are refused', async () => {
    expect(await failureOf(accountOf({ address: SUPPLIER }))).equal('ADDRESS_MISMATCH')
    const { address } = await accountOf()
    const lowercase = address.toLowerCase() as typeof address
    expect((await accountOf({ address: lowercase })).address).equal(address)
    const hostile = client()
    const sign = hostile.sign.bind(hostile)
    hostile.sign = (request) => sign({ ...request, derivationPath: 'm/0/6' })
    expect(await failureOf((await accountOf({ client: hostile })).signTransaction(TRANSACTIONS[0]))).equal('BAD_ANSWER')
  })

  it('a requester signs every request, with a nonce of its own', async () => {
    const nonces: string[] = []
    const own = client()
    const sign = own.sign.bind(own)
    own.sign = (request) => {
      nonces.push(request.signed?.nonce ?? '')
      return sign(request)
    }
    const requester = { clusterId: toHex(new Uint8Array(32)), name: 'exchange', sign: () => new Uint8Array(64) }
    const account = await accountOf({ client: own, requester })
    for (let i = 0; i < 2; i++) await account.signTransaction(TRANSACTIONS[0])
    expect(new Set(nonces).size).equal(2)
    for (const nonce of nonces) expect(nonce).match(/^[0-9a-f]{64}$/)
  })
})
