import { codeOf, concat, fromHex, toHex } from '@conclave/core'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { expect } from 'chai'
import { Transaction } from 'ethers/transaction'
import fc from 'fast-check'
import { decodePayload } from './decoded-payload.ts'
import { evmAddress } from './evm-address.ts'
import { assembleEvmTransaction } from './evm-assemble.ts'
import { confirmEvmTransaction } from './evm-second-opinion.ts'
import type { EvmTransactionFields } from './evm-transaction.ts'
import { integer, PAYMENT, type Rlp, rlp, SUPPLIER, unsigned, unsigned2930, unsignedLegacy } from './naive-rlp.fixture.ts'

const TO = fromHex(SUPPLIER.slice(2))
const LIST: Rlp = [[TO, [new Uint8Array(32).fill(9)]]]
const lineOf = (bytes: Uint8Array, label: string) => decodePayload('evm.tx', bytes).summary.find((line) => line.label === label)?.value

function codeFor(run: () => unknown): string {
  try {
    run()
    return 'accepted'
  } catch (error) {
    return codeOf(error)
  }
}
const refused = (bytes: Uint8Array) => expect(codeFor(() => decodePayload('evm.tx', bytes))).equal('PAYLOAD_UNDECODABLE')

describe('evm.tx: formats', () => {
  it('evm.tx: a legacy transaction with a chain id (EIP-155) decodes to its fields', () => {
    const bytes = unsignedLegacy({}, { chainId: 31337n })
    const tx = decodePayload('evm.tx', bytes)
    expect(tx).deep.include({ format: 'legacy', chainId: 31337n, nonce: 7n, to: SUPPLIER, valueWei: 10n ** 18n, call: 'none' })
    expect(tx).deep.include({ maxFeePerGasWei: 30_000_000_000n, maxPriorityFeePerGasWei: undefined, feeMaxWei: 630_000_000_000_000n })
    expect(tx.digests).deep.equal([{ digest: keccak_256(bytes), path: undefined }])
    expect(tx.summary.map((line) => line.label).join()).equal(
      'Type,Chain id,To,Amount,Data,Nonce,Gas limit,Gas price,Maximum fee,Maximum total cost,Digest',
    )
  })

  it('evm.tx: a legacy transaction without a chain id is said to be valid on every chain', () => {
    expect(decodePayload('evm.tx', unsignedLegacy())).deep.include({ format: 'legacy', chainId: 0n })
    expect(lineOf(unsignedLegacy(), 'Chain id')).equal('none: valid on EVERY chain')
  })

  it('evm.tx: an EIP-2930 transaction decodes to its fields', () => {
    const tx = decodePayload('evm.tx', unsigned2930({ accessList: LIST }))
    expect(tx).deep.include({ format: 'EIP-2930', chainId: 31337n, maxFeePerGasWei: 30_000_000_000n, maxPriorityFeePerGasWei: undefined })
    expect(tx.accessList).deep.equal([{ address: SUPPLIER, storageKeys: [`0x${'09'.repeat(32)}`] }])
    expect(tx.digest).deep.equal(keccak_256(unsigned2930({ accessList: LIST })))
  })

  it('evm.tx: the creation of a contract is shown as such and is blind', () => {
    const code = { to: '', data: Uint8Array.of(0x60, 0x80) }
    for (const bytes of [unsigned(code), unsigned2930(code), unsignedLegacy(code, { chainId: 1n })]) {
      const tx = decodePayload('evm.tx', bytes)
      expect(tx).deep.include({ to: undefined, call: 'blind', destinations: [{ id: 'contract-creation', text: 'a new contract' }] })
      expect(lineOf(bytes, 'To')).equal('nobody: creates a contract')
    }
  })

  it('evm.tx: a legacy transaction that is signed, half signed or not canonical is refused', () => {
    const items: Rlp[] = [integer(7n), integer(5n), integer(21_000n), TO, integer(1n), new Uint8Array(0)]
    const zero = integer(0n)
    refused(rlp([...items, integer(27n), integer(5n), integer(6n)]))
    refused(rlp([...items, integer(62709n), integer(5n), integer(6n)]))
    refused(rlp([...items, integer(1n), integer(5n), zero]))
    refused(rlp([...items, zero, zero, zero]))
    refused(rlp([...items, integer(1n)]))
    refused(rlp(items.slice(1)))
    refused(rlp([...items, integer(1n), Uint8Array.of(0), zero]))
    refused(concat(rlp(items), Uint8Array.of(0)))
    refused(unsigned2930({ chainId: 0n }))
  })

  it('evm.tx: whatever the format, decoding follows what was encoded, by two libraries', () => {
    const fields = fc.record({
      chainId: fc.bigInt({ min: 1n, max: 1n << 60n }),
      nonce: fc.bigInt({ min: 0n, max: (1n << 53n) - 1n }),
      maxFeePerGas: fc.bigInt({ min: 0n, max: 1n << 100n }),
      gasLimit: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      to: fc.uint8Array({ minLength: 20, maxLength: 20 }).map(toHex),
      value: fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }),
      data: fc.uint8Array({ minLength: 1, maxLength: 100 }),
    })
    fc.assert(
      fc.property(fields, fc.constantFrom('legacy', 'eip155', 'EIP-2930'), (f, format) => {
        const chain = format === 'eip155' ? { chainId: f.chainId } : {}
        const bytes = format === 'EIP-2930' ? unsigned2930(f) : unsignedLegacy(f, chain)
        const tx = decodePayload('evm.tx', bytes)
        expect([tx.nonce, tx.maxFeePerGasWei, tx.gasLimit, tx.valueWei]).deep.equal([f.nonce, f.maxFeePerGas, f.gasLimit, f.value])
        expect([tx.chainId, tx.to?.toLowerCase()]).deep.equal([format === 'legacy' ? 0n : f.chainId, `0x${f.to}`])
        expect(tx.data).deep.equal(f.data)
        expect(tx.digest).deep.equal(keccak_256(bytes))
      }),
    )
  })

  it('evm.tx: what two libraries do not read alike is refused, whichever field it is', () => {
    const bytes = unsigned({ accessList: LIST, data: Uint8Array.of(1) })
    const tx = decodePayload('evm.tx', bytes)
    expect(codeFor(() => confirmEvmTransaction(bytes, tx, tx.digest))).equal('accepted')
    const entry = { address: SUPPLIER, storageKeys: [`0x${'08'.repeat(32)}`] }
    const other: readonly Partial<EvmTransactionFields>[] = [
      ...[{ format: 'legacy' as const }, { chainId: 1n }, { nonce: 8n }, { maxFeePerGasWei: 1n }, { maxPriorityFeePerGasWei: 1n }],
      ...[{ gasLimit: 1n }, { to: undefined }, { to: `0x${'11'.repeat(20)}` }, { valueWei: 1n }, { data: Uint8Array.of(2) }],
      ...[{ data: new Uint8Array(0) }, { accessList: [] }, { accessList: [entry] }, { accessList: [...tx.accessList, entry] }],
    ]
    for (const [i, fields] of other.entries())
      expect(
        codeFor(() => confirmEvmTransaction(bytes, { ...tx, ...fields }, tx.digest)),
        `case ${i}`,
      ).equal('PAYLOAD_UNDECODABLE')
    expect(codeFor(() => confirmEvmTransaction(bytes, tx, tx.digest.with(0, 1)))).equal('PAYLOAD_UNDECODABLE')
  })

  it('evm.tx: every format assembles to a transaction from the key that signed it', () => {
    const secret = new Uint8Array(32).fill(7)
    const formats = [
      unsigned(),
      unsigned({ to: '', data: Uint8Array.of(1) }),
      unsigned2930({ accessList: LIST }),
      unsignedLegacy(),
      unsignedLegacy({}, { chainId: 31337n }),
      unsignedLegacy({ nonce: PAYMENT.nonce + 1n }, { chainId: 31337n }),
    ]
    for (const bytes of formats) {
      const { digest, chainId } = decodePayload('evm.tx', bytes)
      const signature = secp256k1.sign(digest, secret, { prehash: false, format: 'recovered' })
      const raw = assembleEvmTransaction(bytes, signature.subarray(1), signature[0] as number)
      const signed = Transaction.from(`0x${toHex(raw)}`)
      expect(signed.from).equal(evmAddress(secp256k1.getPublicKey(secret, true)))
      expect(signed.chainId).equal(chainId)
      refused(raw)
    }
  })
})
