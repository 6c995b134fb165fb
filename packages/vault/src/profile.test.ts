import { equalBytes, fromHex, seededRandom, toHex, utf8 } from '@conclave/core'
import { expect } from 'chai'
import { CONFORMANCE_CONTEXT as CONTEXT, opened, refusal, CONFORMANCE_SECRET as SECRET } from './conformance.ts'
import { MemoryDevice } from './memory-hsm.ts'
import { memoryVault } from './memory-vault.ts'
import { findProfile, PROFILES, type ProfileName, profileOf, profileOfRecord } from './profile.ts'
import { parseRecord } from './record.ts'
import { encodeContext } from './seal-context.ts'
import { SOFT_WRAPS, type SoftKeys } from './soft-wraps.ts'
import { wrapMacInput } from './wrap-mac.ts'

const NAMES: readonly ProfileName[] = ['gcm', 'gcm-hsm-iv', 'cbc-hmac', 'kwp', 'kw']

/** Of format 2, made once with the device and vault of this seed: what is on disks has to open later, too. */
const OLD_SEED = 'record of format 2'
const OLD_RECORD =
  '43535202006d000011636f6e636c6176652d73686172652d7631010020c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c10200067a75726963680300096b65792d736861726504000874726561737572790500080000000000000004060008000000000000000701077072696d61727910313637353038346135313032383434641038064785bedfdf9c5018f9fd6a79e8550000000101000010870cc8d8ad1e1e6361ea0ea55f1600304857a023a65dd47713da8c85f1f985c5ecc4a10a1fe2fbe682215b9dfbb65a53e928ca60cfa33d3eccdf9373700d69d8162ee5a47642f7e5e3eefa9f34b8309f7d15b9545b6e359f111e7ee872316c744600eed77641e57a97d7174800000030484d99fb5617a62dceba5083be699397cf5d1552c6f150030c9690551677ad144936aec6b45ca6c7e51092e125046c58'

function keysOf(byte: number): SoftKeys {
  return { kek: new Uint8Array(32).fill(byte), mac: new Uint8Array(32).fill(byte + 1) }
}

describe('wrap profiles', () => {
  it('profiles: names, ids and mechanisms are what records of earlier releases hold, in the order of preference', () => {
    expect(PROFILES.map((p) => [p.name, p.id, p.mechanisms])).to.deep.equal([
      ['gcm', 1, [0x1087]],
      ['gcm-hsm-iv', 2, [0x1087]],
      ['cbc-hmac', 3, [0x1082]],
      ['kwp', 5, [0x210b, 0x210a]],
      ['kw', 4, [0x2109]],
    ])
    expect(NAMES.map((name) => profileOf(name).name)).to.deep.equal(NAMES)
    expect(NAMES.map((name) => findProfile(name)?.name)).to.deep.equal(NAMES)
    expect([profileOfRecord(1, 0x1082), profileOfRecord(4, 0x210a), profileOfRecord(9, 0x1087)]).to.deep.equal(Array(3).fill(undefined))
  })

  it('profiles: a record of format 2 still opens', async () => {
    const random = seededRandom(utf8(OLD_SEED))
    const vault = await memoryVault({ devices: [new MemoryDevice({ name: 'primary', random })], random })
    expect(await opened(vault.open(CONTEXT, fromHex(OLD_RECORD)))).to.equal(toHex(SECRET))
  })

  // RFC 3394, 4.6: 256 bits of key data under a 256-bit KEK.
  it('kw: is RFC 3394', () => {
    const kek = fromHex('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f')
    const data = fromHex('00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f')
    const wrapped = SOFT_WRAPS.kw.wrap({ kek, mac: kek }, new Uint8Array(0), new Uint8Array(0), data)
    expect(toHex(wrapped)).to.equal('28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21')
  })

  it('kw, kwp: neither unwraps what the other wrapped, though both are 40 bytes', () => {
    const [none, dek] = [new Uint8Array(0), new Uint8Array(32).fill(3)]
    const [kw, kwp] = [SOFT_WRAPS.kw.wrap(keysOf(1), none, none, dek), SOFT_WRAPS.kwp.wrap(keysOf(1), none, none, dek)]
    expect([kw.length, kwp.length, equalBytes(kw, kwp)]).to.deep.equal([40, 40, false])
    expect(SOFT_WRAPS.kw.unwrap(keysOf(1), none, none, kwp)).to.equal(undefined)
    expect(SOFT_WRAPS.kwp.unwrap(keysOf(1), none, none, kw)).to.equal(undefined)
  })

  it('cbc-hmac: bytes that move between context, IV and ciphertext change what is authenticated', () => {
    const bytes = (...values: number[]) => Uint8Array.from(values)
    const inputs = [
      wrapMacInput(bytes(1, 2), bytes(3), bytes(4)),
      wrapMacInput(bytes(1), bytes(2, 3), bytes(4)),
      wrapMacInput(bytes(1), bytes(2), bytes(3, 4)),
      wrapMacInput(bytes(), bytes(1, 2, 3), bytes(4)),
    ]
    expect(new Set(inputs.map(toHex)).size).to.equal(inputs.length)
  })

  for (const name of NAMES) {
    const { ivBytes, wrappedBytes, bindsAad } = profileOf(name)

    it(`${name}: unwraps what it wrapped, in every length of IV, and nothing that was changed`, () => {
      const dek = Uint8Array.from({ length: 32 }, (_, i) => i)
      const aad = encodeContext(CONTEXT)
      for (const length of ivBytes) {
        const iv = new Uint8Array(length).fill(7)
        const wrapped = SOFT_WRAPS[name].wrap(keysOf(1), iv, aad, dek)
        const unwrap = (keys: SoftKeys, i: Uint8Array, a: Uint8Array, w: Uint8Array) => SOFT_WRAPS[name].unwrap(keys, i, a, w)
        expect(wrapped).to.have.length(wrappedBytes)
        expect(toHex(unwrap(keysOf(1), iv, aad, wrapped)!)).to.equal(toHex(dek))
        expect(unwrap(keysOf(2), iv, aad, wrapped)).to.equal(undefined)
        for (let at = 0; at < wrapped.length; at++)
          expect(unwrap(keysOf(1), iv, aad, flipped(wrapped, at)), `byte ${at}`).to.equal(undefined)
        for (let at = 0; at < iv.length; at++) expect(unwrap(keysOf(1), flipped(iv, at), aad, wrapped), `IV ${at}`).to.equal(undefined)
        expect(unwrap(keysOf(1), iv, flipped(aad, 0), wrapped) === undefined).to.equal(bindsAad)
      }
    })

    it(`${name}: is written into the record with its mechanism, and cannot be changed there`, async () => {
      const vault = await memoryVault({ devices: [new MemoryDevice({ name: 'primary', profile: name })] })
      const record = await vault.seal(CONTEXT, SECRET)
      const [recipient] = parseRecord(record).recipients
      expect([recipient!.profile, recipient!.mechanism]).to.deep.equal([profileOf(name).id, profileOf(name).mechanisms[0]])
      for (const other of NAMES.filter((n) => n !== name)) {
        const changed = record.slice()
        changed[recipient!.iv.byteOffset - record.byteOffset - 6] = profileOf(other).id
        expect(['UNSUPPORTED', 'TAMPER']).to.include((await refusal(vault.open(CONTEXT, changed))).code)
      }
    })

    it(`${name}: a later version of the context than was sealed is TAMPER, whether or not the wrap binds it`, async () => {
      const vault = await memoryVault({ devices: [new MemoryDevice({ name: 'primary', profile: name })] })
      const record = await vault.seal(CONTEXT, SECRET)
      // The last byte of the context is that of the version; nothing compares a version that is higher than expected.
      const at = 6 + encodeContext(CONTEXT).length - 1
      expect(record[at]).to.equal(CONTEXT.version)
      record[at] = CONTEXT.version + 1
      expect((await refusal(vault.open(CONTEXT, record))).code).to.equal('TAMPER')
    })
  }
})

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const out = bytes.slice()
  out[at]! ^= 1
  return out
}
