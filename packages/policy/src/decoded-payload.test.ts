import { ConclaveError, concat, fromHex, InvalidArgument, toHex } from '@conclave/core'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { expect } from 'chai'
import fc from 'fast-check'
import { decodePayload } from './decoded-payload.ts'
import { type DecodedEvmTransaction, EVM_TX_BYTES_MAX } from './evm-transaction.ts'
import { fieldItems, integer, PAYMENT, type Rlp, SUPPLIER, typed, unsigned } from './naive-rlp.fixture.ts'

function refusal(bytes: Uint8Array, type = 'evm.tx'): InvalidArgument {
  try {
    decodePayload(type, bytes)
  } catch (error) {
    expect(error, String(error)).instanceOf(InvalidArgument)
    return error as InvalidArgument
  }
  expect.fail(`decoded 0x${toHex(bytes)}`)
}

function expectUndecodable(bytes: Uint8Array, message: RegExp = /./): void {
  const error = refusal(bytes)
  expect(error.code).equal('PAYLOAD_UNDECODABLE')
  expect(error.message).match(message)
}

/** The items of PAYMENT with the one at `index` replaced. */
function withItem(index: number, item: Rlp): Uint8Array {
  return typed(fieldItems(PAYMENT).with(index, item))
}

const STORAGE_KEY = new Uint8Array(32).fill(9)
const CALL = fromHex(`a9059cbc${'00'.repeat(64)}`)

describe('decodePayload', () => {
  it('evm.tx: a payment decodes to its fields', () => {
    const tx = decodePayload('evm.tx', unsigned())
    expect(tx).deep.include({ type: 'evm.tx', chainId: 31337n, nonce: 7n, to: SUPPLIER, valueWei: 10n ** 18n, gasLimit: 21_000n })
    expect(tx).deep.include({ maxFeePerGasWei: 30_000_000_000n, maxPriorityFeePerGasWei: 1_000_000_000n, data: new Uint8Array(0) })
    expect(tx.feeMaxWei).equal(630_000_000_000_000n)
    expect(tx.costMaxWei).equal(1_000_630_000_000_000_000n)
  })

  it('evm.tx: the digest is keccak256 of RLP written by hand', () => {
    // Type 2, a list of 0x32 bytes; chain id, nonce, priority fee, fee, gas; 20 bytes of to; value; no data, no access list.
    const byHand = [
      '02f2',
      '827a69',
      '07',
      '843b9aca00',
      '8506fc23ac00',
      '825208',
      `94${SUPPLIER.slice(2)}`,
      '880de0b6b3a7640000',
      '80',
      'c0',
    ]
    expect(unsigned()).deep.equal(fromHex(byHand.join('')))
    expect(decodePayload('evm.tx', unsigned()).digest).deep.equal(keccak_256(unsigned()))
  })

  it('evm.tx: every valid transaction decodes to what was encoded', () => {
    const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 2n })
    const fields = fc.record({
      chainId: fc.bigInt({ min: 1n, max: 1n << 60n }),
      nonce: fc.bigInt({ min: 0n, max: (1n << 53n) - 1n }),
      maxFeePerGas: fc.bigInt({ min: 1000n, max: 1n << 100n }),
      maxPriorityFeePerGas: fc.bigInt({ min: 0n, max: 1000n }),
      gasLimit: u64,
      to: fc.uint8Array({ minLength: 20, maxLength: 20 }).map(toHex),
      value: fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }),
      data: fc.uint8Array({ maxLength: 300 }),
    })
    fc.assert(
      fc.property(fields, (f) => {
        const tx = decodePayload('evm.tx', unsigned(f))
        expect(tx.to?.toLowerCase()).equal(`0x${f.to}`)
        expect([tx.chainId, tx.nonce, tx.gasLimit, tx.valueWei]).deep.equal([f.chainId, f.nonce, f.gasLimit, f.value])
        expect([tx.maxFeePerGasWei, tx.maxPriorityFeePerGasWei]).deep.equal([f.maxFeePerGas, f.maxPriorityFeePerGas])
        expect(tx.data).deep.equal(f.data)
        expect(tx.costMaxWei).equal(f.value + f.gasLimit * f.maxFeePerGas)
        expect(tx.digest).deep.equal(keccak_256(unsigned(f)))
      }),
    )
  })

  it('evm.tx: the access list is decoded', () => {
    const tx = decodePayload('evm.tx', unsigned({ accessList: [[fromHex(SUPPLIER.slice(2)), [STORAGE_KEY]]] }))
    expect(tx.accessList).deep.equal([{ address: SUPPLIER, storageKeys: [`0x${'09'.repeat(32)}`] }])
    expect(tx.summary.find((line) => line.label === 'Access list')?.value).equal('1 addresses, 1 storage keys')
  })

  it('evm.tx: the summary is stable', () => {
    const tx = decodePayload('evm.tx', unsigned({ value: 1_500_000_000_000_000_000n, data: CALL }))
    expect(tx.summary.map(({ label, value }) => `${label}: ${value}`)).deep.equal([
      'Type: EVM transaction (EIP-1559)',
      'Chain id: 31337',
      `To: ${SUPPLIER}`,
      'Amount: 1.5 native coin (1500000000000000000 wei)',
      `Data: 68 bytes, method 0xa9059cbc, keccak256 0x${toHex(keccak_256(CALL))}`,
      'Warning: the call is not understood: it can do whatever the contract lets this key do',
      'Nonce: 7',
      'Gas limit: 21000',
      'Maximum fee per gas: 30 gwei',
      'Maximum priority fee per gas: 1 gwei',
      'Maximum fee: 0.00063 native coin (630000000000000 wei)',
      'Maximum total cost: 1.50063 native coin (1500630000000000000 wei)',
      'Access list: none',
      `Digest: 0x${toHex(tx.digest)}`,
    ])
  })

  it('evm.tx: the result does not follow later changes of the bytes', () => {
    const bytes = unsigned({ data: CALL })
    const tx = decodePayload('evm.tx', bytes)
    const before = structuredClone(tx)
    bytes.fill(0xff)
    expect(tx).deep.equal(before)
  })

  it('evm.tx: signature fields are refused', () => {
    const signed = [...fieldItems(PAYMENT), integer(1n), integer(5n), integer(6n)]
    expectUndecodable(typed(signed), /already carries a signature/)
    const none = new Uint8Array(0)
    expectUndecodable(typed([...fieldItems(PAYMENT), none, none, none]))
    expectUndecodable(typed([...fieldItems(PAYMENT), integer(1n), none, none]))
  })

  it('evm.tx: chain id 0 is refused, and what only one of the libraries takes: nonces beyond 2^53', () => {
    expectUndecodable(unsigned({ chainId: 0n }), /chain id 0/)
    expectUndecodable(unsigned({ nonce: 1n << 53n }), /not a valid evm.tx payload/)
  })

  it('evm.tx: trailing bytes, missing bytes and other field counts are refused', () => {
    expectUndecodable(concat(unsigned(), Uint8Array.of(0)))
    expectUndecodable(unsigned().subarray(0, -1))
    expectUndecodable(typed(fieldItems(PAYMENT).slice(0, 8)))
    expectUndecodable(typed([...fieldItems(PAYMENT), new Uint8Array(0)]))
    expectUndecodable(new Uint8Array(0), /only legacy, EIP-2930 and EIP-1559/)
  })

  it('evm.tx: a second encoding of the same transaction is refused', () => {
    const leadingZero = concat(Uint8Array.of(0), integer(PAYMENT.value))
    expectUndecodable(withItem(6, leadingZero))
    expectUndecodable(withItem(1, Uint8Array.of(0)))
    // The nonce 7 as a string of one byte (0x81 0x07) instead of the byte itself.
    const bytes = unsigned()
    const at = bytes.indexOf(7)
    const long = concat(bytes.subarray(0, at), Uint8Array.of(0x81), bytes.subarray(at))
    long[1] = (long[1] as number) + 1
    expectUndecodable(long)
    // The list with its length in the long form.
    expectUndecodable(concat(Uint8Array.of(2, 0xf8, bytes.length - 2), bytes.subarray(2)))
  })

  it('evm.tx: a field of the wrong shape is refused', () => {
    expectUndecodable(withItem(5, new Uint8Array(19)))
    expectUndecodable(withItem(5, new Uint8Array(21)))
    expectUndecodable(withItem(5, [fromHex(SUPPLIER.slice(2))]))
    expectUndecodable(withItem(6, new Uint8Array(33).fill(1)))
    expectUndecodable(withItem(7, [[]]))
    expectUndecodable(withItem(8, new Uint8Array(0)))
    expectUndecodable(withItem(8, [[fromHex(SUPPLIER.slice(2)), [new Uint8Array(31)]]]))
    expectUndecodable(unsigned({ maxPriorityFeePerGas: PAYMENT.maxFeePerGas + 1n }))
  })

  it('evm.tx: sizes are bounded', () => {
    const overhead = unsigned({ data: new Uint8Array(EVM_TX_BYTES_MAX - 1000) }).length - (EVM_TX_BYTES_MAX - 1000)
    const largest = EVM_TX_BYTES_MAX - overhead
    expect(decodePayload('evm.tx', unsigned({ data: new Uint8Array(largest) })).data.length).equal(largest)
    expectUndecodable(unsigned({ data: new Uint8Array(largest + 1) }), /longer than/)
    const entry = (keys: number): Rlp => [fromHex(SUPPLIER.slice(2)), Array<Rlp>(keys).fill(STORAGE_KEY)]
    expect(decodePayload('evm.tx', unsigned({ accessList: Array<Rlp>(256).fill(entry(4)) })).accessList.length).equal(256)
    expectUndecodable(unsigned({ accessList: Array<Rlp>(257).fill(entry(0)) }), /256 addresses/)
    expectUndecodable(unsigned({ accessList: [entry(1025)] }), /1024 storage keys/)
  })

  it('evm.tx: other transaction types are refused', () => {
    for (const type of [0, 3, 4, 0x7f, 0xbf]) expectUndecodable(unsigned().with(0, type), /only legacy, EIP-2930 and EIP-1559/)
    expectUndecodable(unsigned().with(0, 1))
    expectUndecodable(unsigned().subarray(1))
    expectUndecodable('02' as unknown as Uint8Array, /not bytes/)
  })

  it('unknown payload types are refused, names of object properties too', () => {
    for (const type of ['', 'EVM.TX', 'sol.tx', 'constructor', '__proto__', 'toString']) {
      expect(refusal(unsigned(), type).code).equal('UNKNOWN_PAYLOAD_TYPE')
    }
  })
})

describe('decodePayload: fuzz', () => {
  /** The bytes again, from nothing but what was decoded. */
  function reencode(tx: DecodedEvmTransaction): Uint8Array {
    const accessList = tx.accessList.map((e): Rlp => [fromHex(e.address.slice(2)), e.storageKeys.map((k) => fromHex(k.slice(2)))])
    const fees = { maxPriorityFeePerGas: tx.maxPriorityFeePerGasWei as bigint, maxFeePerGas: tx.maxFeePerGasWei }
    return typed(fieldItems({ ...tx, ...fees, to: (tx.to ?? '0x').slice(2), value: tx.valueWei, accessList }))
  }

  /** Whatever decodes must be worth deciding on; whatever does not must fail as promised. */
  function check(bytes: Uint8Array): void {
    try {
      const tx = decodePayload('evm.tx', bytes)
      expect(reencode(tx)).deep.equal(bytes)
      expect(tx.digest).deep.equal(keccak_256(bytes))
      expect(tx.to).match(/^0x[0-9a-fA-F]{40}$/)
      expect(tx.valueWei >= 0n && tx.feeMaxWei >= 0n && tx.chainId > 0n).equal(true)
    } catch (error) {
      expect(error, String(error)).instanceOf(ConclaveError)
      expect((error as ConclaveError).code).equal('PAYLOAD_UNDECODABLE')
    }
  }

  it('random bytes: only PAYLOAD_UNDECODABLE escapes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), check), { numRuns: 2000 })
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (b) => check(concat(Uint8Array.of(2), b))),
      { numRuns: 2000 },
    )
  })

  it('random RLP in an EIP-1559 envelope: only PAYLOAD_UNDECODABLE escapes', () => {
    const { item } = fc.letrec<{ item: Rlp }>((tie) => ({
      item: fc.oneof({ maxDepth: 3 }, fc.uint8Array({ maxLength: 40 }), fc.array(tie('item'), { maxLength: 10 })),
    }))
    const nineOrTwelve = fc.oneof(...[9, 12].map((n) => fc.array(item, { minLength: n, maxLength: n })))
    fc.assert(
      fc.property(fc.oneof(item, nineOrTwelve), (i) => check(typed(i))),
      { numRuns: 2000 },
    )
  })

  it('mutated transactions: only PAYLOAD_UNDECODABLE escapes', () => {
    const valid = unsigned({ data: CALL, accessList: [[fromHex(SUPPLIER.slice(2)), [STORAGE_KEY]]] })
    const edit = fc.record({ at: fc.nat(valid.length - 1), byte: fc.integer({ min: 0, max: 255 }), remove: fc.nat(3), insert: fc.nat(3) })
    const edits = fc.array(edit, { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(edits, (list) => {
        let bytes = valid
        for (const { at, byte, remove, insert } of list) {
          bytes = concat(bytes.subarray(0, at), new Uint8Array(insert).fill(byte), bytes.subarray(at + remove))
        }
        check(bytes)
      }),
      { numRuns: 5000 },
    )
    // Every single-byte change of a valid transaction, not just sampled ones.
    for (let at = 0; at < valid.length; at++) for (const flip of [1, 0x80, 0xff]) check(valid.with(at, (valid[at] as number) ^ flip))
  })

  it('deep nesting: only PAYLOAD_UNDECODABLE escapes', () => {
    for (const depth of [10, 1023, 1025, 40_000]) {
      let nested: Rlp = []
      for (let i = 0; i < Math.min(depth, 3000); i++) nested = [nested]
      check(typed(nested))
      check(withItem(8, nested))
      for (const byte of [0xc1, 0xf8, 0xff]) check(concat(Uint8Array.of(2), new Uint8Array(depth).fill(byte)))
    }
  })
})
