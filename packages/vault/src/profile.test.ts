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

/** Made by release 0.1 with the device and vault of this seed; `gcm` was the only profile then. */
const OLD_SEED = 'record of release 0.1'
const OLD_RECORD =
  '43535201006d000011636f6e636c6176652d73686172652d7631010020c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c10200067a75726963680300096b65792d736861726504000874726561737572790500080000000000000004060008000000000000000701077072696d617279106462303463643531346137653265383010798fc0fa8000ac94e86e762eedc6419401000010870c0d6dd603c6ef9d2e4204c6d200302c43cd5707d788a78fef905f656ea1b75a22051cdd5245a083488c95e37bb06ad89dc12c36d3cf57a4a25f70ba9e4d656df1bc085a0f8ad9751b393258052af50aba09735b8693cc3130926bfb820c81edc6cae0bccb598dfdde0b5e00000030b55c3c5c07fd6d81ce38ffb0bb762b516501f75f8e8531554c81d76feb5706c54eff40a7d02e96248b5d4cda7e1f6eda'

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

  it('profiles: a record of release 0.1 still opens', async () => {
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
