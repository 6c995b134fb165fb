import { concat, fromHex, InvalidArgument, toHex } from '@conclave/core'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'chai'
import { Transaction } from 'micro-eth-signer'
import { decodePayload } from './decoded-payload.ts'
import { evmAddress, parseEvmAddress } from './evm-address.ts'
import { assembleEvmTransaction } from './evm-assemble.ts'
import { fieldItems, integer, PAYMENT, SUPPLIER, typed, unsigned } from './naive-rlp.fixture.ts'

function expectCode(run: () => unknown, code: string): void {
  try {
    run()
  } catch (error) {
    expect(error, String(error)).instanceOf(InvalidArgument)
    expect((error as InvalidArgument).code).equal(code)
    return
  }
  expect.fail(`expected ${code}`)
}

function secret(n: number): Uint8Array {
  return new Uint8Array(32).with(31, n)
}

function sign(digest: Uint8Array, key: Uint8Array): { readonly signature: Uint8Array; readonly recovery: number } {
  const recovered = secp256k1.sign(digest, key, { prehash: false, lowS: true, format: 'recovered' })
  return { signature: recovered.subarray(1), recovery: recovered[0] as number }
}

describe('evmAddress', () => {
  it('known keys have their known addresses', () => {
    // The last one is the first account of anvil and hardhat.
    const vectors: readonly (readonly [Uint8Array, string])[] = [
      [secret(1), '0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf'],
      [secret(2), '0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF'],
      [secret(3), '0x6813Eb9362372EEF6200f3b1dbC3f819671cBA69'],
      [fromHex('ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'), '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'],
    ]
    for (const [key, address] of vectors) expect(evmAddress(secp256k1.getPublicKey(key, true))).equal(address)
  })

  it('another length and a point off the curve are refused', () => {
    expectCode(() => evmAddress(secp256k1.getPublicKey(secret(1), false)), 'BAD_PUBLIC_KEY')
    expectCode(() => evmAddress(new Uint8Array(33)), 'BAD_PUBLIC_KEY')
    // x = 5 is on no point of secp256k1.
    expectCode(() => evmAddress(new Uint8Array(33).with(0, 2).with(32, 5)), 'BAD_PUBLIC_KEY')
  })
})

describe('parseEvmAddress', () => {
  it('the checksum is verified in mixed case and added otherwise', () => {
    const hex = SUPPLIER.slice(2)
    for (const text of [SUPPLIER, `0x${hex.toLowerCase()}`, `0x${hex.toUpperCase()}`]) expect(parseEvmAddress(text)).equal(SUPPLIER)
    for (const text of [SUPPLIER.replace('d', 'D'), hex, `0X${hex}`, SUPPLIER.slice(0, -1), `${SUPPLIER}0`, `${SUPPLIER}\n`, '0x', '']) {
      expectCode(() => parseEvmAddress(text), 'BAD_ADDRESS')
    }
  })
})

describe('assembleEvmTransaction', () => {
  it('the sender recovered from the raw transaction is the signer', () => {
    for (let n = 1; n <= 20; n++) {
      const payload = unsigned({ nonce: BigInt(n), data: new Uint8Array(n) })
      const { digest } = decodePayload('evm.tx', payload)
      const { signature, recovery } = sign(digest, secret(n))
      const raw = assembleEvmTransaction(payload, signature, recovery)
      // Laid out by hand: the nine fields, then the parity, r and s as integers.
      const [r, s] = [signature.subarray(0, 32), signature.subarray(32)].map((half) => integer(BigInt(`0x${toHex(half)}`)))
      const items = fieldItems({ ...PAYMENT, nonce: BigInt(n), data: new Uint8Array(n) })
      expect(raw).deep.equal(typed([...items, integer(BigInt(recovery)), r as Uint8Array, s as Uint8Array]))
      const point = secp256k1.Signature.fromBytes(signature, 'compact').addRecoveryBit(recovery).recoverPublicKey(digest)
      expect(evmAddress(point.toBytes(true))).equal(evmAddress(secp256k1.getPublicKey(secret(n), true)))
      expect(Transaction.fromBytes(raw).sender).equal(evmAddress(secp256k1.getPublicKey(secret(n), true)))
    }
  })

  it('the wrong parity names another sender, so the caller notices', () => {
    const { signature, recovery } = sign(decodePayload('evm.tx', unsigned()).digest, secret(1))
    const raw = assembleEvmTransaction(unsigned(), signature, 1 - recovery)
    expect(Transaction.fromBytes(raw).sender).not.equal(evmAddress(secp256k1.getPublicKey(secret(1), true)))
  })

  it('a signature that Ethereum would not take is refused', () => {
    const { signature, recovery } = sign(decodePayload('evm.tx', unsigned()).digest, secret(1))
    const order = secp256k1.Point.Fn.ORDER
    const highS = order - BigInt(`0x${toHex(signature.subarray(32))}`)
    const zero = new Uint8Array(32)
    const bad = (bytes: Uint8Array, parity = recovery) =>
      expectCode(() => assembleEvmTransaction(unsigned(), bytes, parity), 'BAD_SIGNATURE')
    bad(concat(signature.subarray(0, 32), integer(highS)))
    bad(concat(zero, signature.subarray(32)))
    bad(concat(signature.subarray(0, 32), zero))
    bad(concat(integer(order), signature.subarray(32)))
    bad(signature.subarray(1))
    bad(concat(signature, Uint8Array.of(0)))
    for (const parity of [2, 3, -1, 0.5, Number.NaN]) bad(signature, parity)
    expect(assembleEvmTransaction(unsigned(), signature, recovery)[0]).equal(2)
  })

  it('a payload that is not an unsigned transaction is refused', () => {
    const { signature, recovery } = sign(decodePayload('evm.tx', unsigned()).digest, secret(1))
    const raw = assembleEvmTransaction(unsigned(), signature, recovery)
    expectCode(() => assembleEvmTransaction(raw, signature, recovery), 'PAYLOAD_UNDECODABLE')
    // The last is a transaction to the library, but not to decodePayload.
    for (const payload of [new Uint8Array(9), Uint8Array.of(2, 0xff), unsigned({ chainId: 0n })]) {
      expectCode(() => assembleEvmTransaction(payload, signature, recovery), 'PAYLOAD_UNDECODABLE')
    }
  })
})
