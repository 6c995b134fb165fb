import { join } from 'node:path'
import { ConclaveApiError } from '@conclave/client'
import { payWithViem } from '@conclave/client/examples/pay-with-viem'
import { signPsbt } from '@conclave/client/examples/sign-psbt'
import { fromHex, toHex } from '@conclave/core'
import { PAYEE, psbtOf } from '@conclave/policy/testing/psbt'
import { Evm, freePorts } from '@conclave/testnet'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { Psbt, Transaction } from 'bitcoinjs-lib'
import { expect } from 'chai'
import { BaseError } from 'viem'
import { ETHER, MAIL_CONTRACT, SUPPLIER, useSharedCluster } from '../rig/cluster.ts'
import { createKey, expectValid } from '../rig/signing.ts'

/** The example of EIP-712, in canonical JSON, and the digest that the EIP states. */
const MAIL =
  `{"domain":{"chainId":1,"name":"Ether Mail","verifyingContract":"${MAIL_CONTRACT}","version":"1"},` +
  '"message":{"contents":"Hello, Bob!","from":{"name":"Cow","wallet":"0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"},' +
  '"to":{"name":"Bob","wallet":"0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"}},"primaryType":"Mail","types":{"EIP712Domain":[' +
  '{"name":"name","type":"string"},{"name":"version","type":"string"},{"name":"chainId","type":"uint256"},' +
  '{"name":"verifyingContract","type":"address"}],"Mail":[{"name":"from","type":"Person"},{"name":"to","type":"Person"},' +
  '{"name":"contents","type":"string"}],"Person":[{"name":"name","type":"string"},{"name":"wallet","type":"address"}]}}'
const MAIL_DIGEST = 'be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2'

const STRANGER = '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC'

describe('payloads', () => {
  const rig = useSharedCluster()
  const keyId = 'payloads'

  before(() => createKey(rig(), keyId))

  async function root() {
    const { publicKey, chainCode } = await rig().cluster.client.key(keyId)
    return { publicKey: fromHex(publicKey), chainCode: fromHex(chainCode) }
  }

  it('payloads: real nodes sign a PSBT of two inputs on two paths in one session, and an independent library takes it', async () => {
    const { client } = rig().cluster
    const bytes = psbtOf({ root: await root() })
    const { requestId } = await client.requestSignature({ keyId, payload: { type: 'btc.psbt', bytes: `0x${toHex(bytes)}` } })
    const request = await client.waitForSignature(requestId)
    expect(request.signatures?.map((s) => s.derivationPath)).to.deep.equal(['m/0/5', 'm/0/6'])
    for (const { derivationPath, publicKey, digest, signature } of request.signatures ?? []) {
      expect(publicKey).to.equal((await client.derivedKey(keyId, derivationPath)).publicKey)
      expectValid(signature ?? '', digest, publicKey)
    }
    expect(request.attempts.filter((attempt) => attempt.outcome === 'signed')).to.have.length(1)
    const psbt = Psbt.fromHex((request.signedPsbt ?? '').slice(2))
    const isValid = (publicKey: Uint8Array, digest: Uint8Array, signature: Uint8Array) =>
      secp256k1.verify(signature, digest, publicKey, { prehash: false })
    expect(psbt.validateSignaturesOfAllInputs(isValid)).to.equal(true)
    expect(`0x${psbt.finalizeAllInputs().extractTransaction().toHex()}`).to.equal(request.signedTransaction)
  })

  it('payloads: the example of a PSBT signer gives a transaction that an independent library makes of the same PSBT', async () => {
    const { url, apiKey } = rig().cluster
    const unsigned = psbtOf({ root: await root() })
    const signed = await signPsbt({ url, apiKey, keyId, psbt: Buffer.from(unsigned).toString('base64') })
    const transaction = Transaction.fromHex('transaction' in signed ? signed.transaction : '')
    const { txOutputs, inputCount } = Psbt.fromBuffer(unsigned)
    expect(transaction.outs.map((o) => [toHex(o.script), o.value])).to.deep.equal(txOutputs.map((o) => [toHex(o.script), o.value]))
    expect(transaction.ins.filter((input) => input.witness.length > 0 || input.script.length > 0)).to.have.length(inputCount)
  })

  it('payloads: the example of a viem account pays on a real EVM, and viem hears why another payment is denied', async () => {
    const { dir, url, apiKey } = rig().cluster
    const [port] = await freePorts(1)
    const evm = await Evm.start(port as number, join(dir, 'anvil.log'))
    try {
      const path = 'm/0/7'
      const { address } = await rig().cluster.client.derivedKey(keyId, path)
      await evm.fund(address, ETHER)
      const payment = { url, apiKey, keyId, path, rpcUrl: evm.url, to: SUPPLIER, wei: ETHER / 4n } as const
      const before = await evm.balance(SUPPLIER)
      expect(await payWithViem(payment)).to.include({ from: address, isMined: true })
      expect((await evm.balance(SUPPLIER)) - before).to.equal(ETHER / 4n)
      const denied = await payWithViem({ ...payment, to: STRANGER }).catch((error: unknown) => error)
      expect(denied, String(denied)).to.be.instanceOf(BaseError)
      const cause = (denied as BaseError).walk((error) => error instanceof ConclaveApiError) as ConclaveApiError
      expect(cause.code).to.equal('POLICY_DENIED')
      expect(cause.nodeVerdicts.map((verdict) => verdict.code)).to.include('DESTINATION_NOT_ALLOWED')
    } finally {
      await evm.stop()
    }
  })

  it('payloads: a PSBT that pays somebody else, or more in fees than the policy allows, is denied by the nodes', async () => {
    const { client } = rig().cluster
    for (const [to, amountSat, code] of [
      ['1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH', 109_000n, 'DESTINATION_NOT_ALLOWED'],
      [PAYEE, 107_999n, 'FEE_OVER_LIMIT'],
    ] as const) {
      const bytes = psbtOf({ root: await root(), outputs: [{ to, amountSat }] })
      const { requestId } = await client.requestSignature({ keyId, payload: { type: 'btc.psbt', bytes: `0x${toHex(bytes)}` } })
      const { state, nodeVerdicts } = await client.settled(requestId)
      expect(state).to.equal('denied')
      for (const verdict of nodeVerdicts) expect(verdict.code).to.equal(code)
    }
  })

  it('payloads: real nodes sign typed data, and no bare digest without a rule', async () => {
    const { client } = rig().cluster
    const hex = toHex(new TextEncoder().encode(MAIL))
    const { requestId } = await client.requestSignature({ keyId, derivationPath: 'm/0/5', payload: { type: 'eip712', bytes: `0x${hex}` } })
    const request = await client.waitForSignature(requestId)
    expect(request.digest).to.equal(MAIL_DIGEST)
    expectValid(request.signature ?? '', MAIL_DIGEST, (await client.derivedKey(keyId, 'm/0/5')).publicKey)
    const raw = await client.requestSignature({ keyId, payload: { type: 'raw', bytes: `0x${MAIL_DIGEST}` } })
    const { state, nodeVerdicts } = await client.settled(raw.requestId)
    expect([state, nodeVerdicts[0]?.code]).to.deep.equal(['denied', 'PAYLOAD_NOT_ALLOWED'])
  })
})
