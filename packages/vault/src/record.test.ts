import { InvalidArgument, systemRandom, toHex, VaultError } from '@conclave/core'
import { expect } from 'chai'
import fc from 'fast-check'
import { CONFORMANCE_CONTEXT as CONTEXT } from './conformance.ts'
import type { SealContext } from './key-vault.ts'
import { encodeHeader, encodeRecord, parseRecord, type Recipient } from './record.ts'
import { contextMismatch, decodeContext, encodeContext } from './seal-context.ts'

function recipient(name: string): Recipient {
  const [iv, wrapped] = [systemRandom.bytes(12), systemRandom.bytes(48)]
  return { name, tokenSerial: `serial-${name}`, kekId: 'ab'.repeat(16), kekGeneration: 7, profile: 1, mechanism: 0x1087, iv, wrapped }
}

function record(recipients: Recipient[], bodyLength = 40): Uint8Array {
  const header = encodeHeader(CONTEXT, recipients)
  return encodeRecord({ header, mac: systemRandom.bytes(32), bodyIv: systemRandom.bytes(12), body: systemRandom.bytes(bodyLength) })
}

function codeOf(bytes: Uint8Array): string {
  try {
    parseRecord(bytes)
    return 'OK'
  } catch (error) {
    expect(error).to.be.instanceOf(VaultError)
    return (error as VaultError).code
  }
}

describe('sealed record', () => {
  it('parseRecord: gives back what was encoded', () => {
    const recipients = ['a', 'b', 'c'].map(recipient)
    const bytes = record(recipients)
    const parsed = parseRecord(bytes)
    expect(parsed.context).to.deep.equal(CONTEXT)
    expect(parsed.recipients).to.deep.equal(recipients)
    expect(toHex(encodeRecord(parsed))).to.equal(toHex(bytes))
  })

  it('parseRecord: every prefix, and one byte more, is TAMPER', () => {
    const bytes = record([recipient('a')])
    for (let length = 0; length < bytes.length; length++) expect(codeOf(bytes.subarray(0, length)), `${length} bytes`).to.equal('TAMPER')
    expect(codeOf(Uint8Array.from([...bytes, 0]))).to.equal('TAMPER')
    expect(codeOf(bytes)).to.equal('OK')
  })

  it('parseRecord: a later format or profile is UNSUPPORTED, not tampering', () => {
    const bytes = record([recipient('a')])
    const later = bytes.slice()
    later[3] = 3
    expect(codeOf(later)).to.equal('UNSUPPORTED')
    const { iv } = parseRecord(bytes).recipients[0]!
    const profile = bytes.slice()
    profile[iv.byteOffset - bytes.byteOffset - 6] = 9
    expect(codeOf(profile)).to.equal('UNSUPPORTED')
  })

  it('parseRecord: a length that promises gigabytes is refused before anything is allocated', () => {
    const bytes = record([recipient('a')])
    const at = bytes.length - 40 - 4
    for (const length of [0, 16, 0xffffffff, 17 * 1024 * 1024]) {
      const changed = bytes.slice()
      new DataView(changed.buffer).setUint32(at, length)
      expect(codeOf(changed)).to.equal('TAMPER')
    }
  })

  it('parseRecord: any bytes are a record or a typed refusal', () => {
    const start = record([recipient('a')])
    fc.assert(
      fc.property(fc.nat(start.length), fc.uint8Array({ maxLength: 200 }), (keep, tail) => {
        codeOf(Uint8Array.from([...start.subarray(0, keep), ...tail]))
      }),
    )
  })

  it('encodeHeader: refuses recipients that would not parse again', () => {
    const good = recipient('a')
    const bad = [
      { name: '' },
      { name: 'x'.repeat(33) },
      { name: 'a b' },
      { tokenSerial: '' },
      { kekId: '' },
      { kekGeneration: 0 },
      { iv: new Uint8Array(11) },
      { wrapped: new Uint8Array(47) },
      { profile: 9 },
      { profile: 3 },
      { mechanism: 0x1082 },
      { profile: 2, iv: new Uint8Array(0) },
      { profile: 4, mechanism: 0x2109, wrapped: new Uint8Array(40) },
    ]
    for (const change of bad) expect(() => encodeHeader(CONTEXT, [{ ...good, ...change }]), JSON.stringify(change)).to.throw()
    expect(() => encodeHeader(CONTEXT, [])).to.throw()
    expect(() => encodeHeader(CONTEXT, Array(9).fill(good))).to.throw()
  })
})

const text = fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((c) => String.fromCharCode(c)), minLength: 1, maxLength: 128 })
const contexts: fc.Arbitrary<SealContext> = fc.record({
  clusterId: fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex),
  nodeId: text,
  recordType: text,
  keyId: text,
  epoch: fc.maxSafeNat(),
  version: fc.maxSafeNat(),
})

describe('seal context', () => {
  it('encodeContext: is inverted by decodeContext', () => {
    fc.assert(
      fc.property(contexts, (c) => {
        expect(decodeContext(encodeContext(c))).to.deep.equal(c)
      }),
    )
  })

  it('encodeContext: contexts that differ have encodings that differ', () => {
    fc.assert(
      fc.property(
        contexts,
        contexts,
        (a, b) => (toHex(encodeContext(a)) === toHex(encodeContext(b))) === (JSON.stringify(a) === JSON.stringify(b)),
      ),
    )
    const [a, b] = [
      { ...CONTEXT, nodeId: 'ab', recordType: 'c' },
      { ...CONTEXT, nodeId: 'a', recordType: 'bc' },
    ]
    expect(toHex(encodeContext(a))).not.to.equal(toHex(encodeContext(b)))
  })

  it('encodeContext: has not changed', () => {
    const expected =
      `000011${Buffer.from('conclave-share-v1').toString('hex')}` +
      `010020${'c1'.repeat(32)}020006${Buffer.from('zurich').toString('hex')}030009${Buffer.from('key-share').toString('hex')}` +
      `040008${Buffer.from('treasury').toString('hex')}05000800000000000000040600080000000000000007`
    expect(toHex(encodeContext(CONTEXT))).to.equal(expected)
  })

  it('decodeContext: is defined for canonical encodings only', () => {
    const bytes = encodeContext(CONTEXT)
    for (let length = 0; length < bytes.length; length++) expect(decodeContext(bytes.subarray(0, length))).to.equal(undefined)
    expect(decodeContext(Uint8Array.of(...bytes, 0))).to.equal(undefined)
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = bytes.slice()
        changed[at]! ^= flip
        const decoded = decodeContext(changed)
        if (decoded !== undefined) expect(toHex(encodeContext(decoded))).to.equal(toHex(changed))
      }),
    )
  })

  it('contextMismatch: names each field but the version', () => {
    const others: Partial<SealContext>[] = [
      { clusterId: 'c2'.repeat(32) },
      { nodeId: 'x' },
      { recordType: 'x' },
      { keyId: 'x' },
      { epoch: 0 },
    ]
    for (const other of others) expect(contextMismatch(CONTEXT, { ...CONTEXT, ...other })).to.equal(Object.keys(other)[0])
    expect(contextMismatch(CONTEXT, { ...CONTEXT, version: 99 })).to.equal(undefined)
  })

  it('encodeContext: refuses numbers that JavaScript cannot count', () => {
    for (const epoch of [-1, 0.5, Number.NaN, 2 ** 53]) expect(() => encodeContext({ ...CONTEXT, epoch })).to.throw(InvalidArgument)
  })
})
