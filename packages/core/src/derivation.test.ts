import { createHash } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'chai'
import fc from 'fast-check'
import { fromHex, toHex } from './bytes.ts'
import { deriveChild, type ExtendedKey, formatPath, formatXpub, PATH_DEPTH_MAX, PATH_INDEX_MAX, parsePath } from './derivation.ts'
import { InvalidArgument } from './errors.ts'

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()

/** An `xpub` read without the library that writes it; its checksum is verified. */
function readXpub(text: string): ExtendedKey {
  const value = [...text].reduce((sum, c) => sum * 58n + BigInt(ALPHABET.indexOf(c)), 0n)
  const bytes = fromHex(value.toString(16).padStart(164, '0'))
  expect(toHex(sha256(sha256(bytes.subarray(0, 78))).subarray(0, 4))).equal(toHex(bytes.subarray(78)))
  return { chainCode: bytes.slice(13, 45), publicKey: bytes.slice(45, 78) }
}

/** BIP32, test vectors 1 to 3: the root keys. */
const ROOTS = [
  'xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8',
  'xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W6oDMSgv6Zz8idoc4a6mr8BDzTJY47LJhkJ8UB7WEGuduB',
  'xpub661MyMwAqRbcEZVB4dScxMAdx6d4nFc9nvyvH3v4gJL378CSRZiYmhRoP7mBy6gSPSCYk6SzXPTf3ND1cZAceL7SfJ1Z3GC8vBgp2epUt13',
] as const

/** BIP32, test vectors 1 and 2: every step that is not hardened, from the parent that the vectors give. */
const STEPS: readonly (readonly [string, string, string])[] = [
  [
    'xpub68Gmy5EdvgibQVfPdqkBBCHxA5htiqg55crXYuXoQRKfDBFA1WEjWgP6LHhwBZeNK1VTsfTFUHCdrfp1bgwQ9xv5ski8PX9rL2dZXvgGDnw',
    'm/1',
    'xpub6ASuArnXKPbfEwhqN6e3mwBcDTgzisQN1wXN9BJcM47sSikHjJf3UFHKkNAWbWMiGj7Wf5uMash7SyYq527Hqck2AxYysAA7xmALppuCkwQ',
  ],
  [
    'xpub6D4BDPcP2GT577Vvch3R8wDkScZWzQzMMUm3PWbmWvVJrZwQY4VUNgqFJPMM3No2dFDFGTsxxpG5uJh7n7epu4trkrX7x7DogT5Uv6fcLW5',
    'm/2',
    'xpub6FHa3pjLCk84BayeJxFW2SP4XRrFd1JYnxeLeU8EqN3vDfZmbqBqaGJAyiLjTAwm6ZLRQUMv1ZACTj37sR62cfN7fe5JnJ7dh8zL4fiyLHV',
  ],
  [
    'xpub6D4BDPcP2GT577Vvch3R8wDkScZWzQzMMUm3PWbmWvVJrZwQY4VUNgqFJPMM3No2dFDFGTsxxpG5uJh7n7epu4trkrX7x7DogT5Uv6fcLW5',
    'm/2/1000000000',
    'xpub6H1LXWLaKsWFhvm6RVpEL9P4KfRZSW7abD2ttkWP3SSQvnyA8FSVqNTEcYFgJS2UaFcxupHiYkro49S8yGasTvXEYBVPamhGW6cFJodrTHy',
  ],
  [ROOTS[1], 'm/0', 'xpub69H7F5d8KSRgmmdJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LgpeyGmXUbC6wb7ERfvrnKZjXoUmmDznezpbZb7ap6r1D3tgFxHmwMkQTPH'],
  [
    'xpub6ASAVgeehLbnwdqV6UKMHVzgqAG8Gr6riv3Fxxpj8ksbH9ebxaEyBLZ85ySDhKiLDBrQSARLq1uNRts8RuJiHjaDMBU4Zn9h8LZNnBC5y4a',
    'm/1',
    'xpub6DF8uhdarytz3FWdA8TvFSvvAh8dP3283MY7p2V4SeE2wyWmG5mg5EwVvmdMVCQcoNJxGoWaU9DCWh89LojfZ537wTfunKau47EL2dhHKon',
  ],
  [
    'xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL',
    'm/2',
    'xpub6FnCn6nSzZAw5Tw7cgR9bi15UV96gLZhjDstkXXxvCLsUXBGXPdSnLFbdpq8p9HmGsApME5hQTZ3emM2rnY5agb9rXpVGyy3bdW6EEgAtqt',
  ],
]

const bigint = (bytes: Uint8Array) => BigInt(`0x${toHex(bytes)}`)

function refused(run: () => unknown, message: RegExp): void {
  expect(run).to.throw(InvalidArgument, message).with.property('code', 'BAD_PATH')
}

describe('deriveChild', () => {
  it('every step of the BIP32 vectors that is not hardened is met', () => {
    for (const [parent, path, child] of STEPS) {
      const { publicKey, chainCode } = deriveChild(readXpub(parent), parsePath(path))
      expect({ publicKey, chainCode }, path).deep.equal(readXpub(child))
    }
  })

  it('the tweak is what leads from the key to its child', () => {
    const secret = 0x123456789abcdefn
    const root = { publicKey: secp256k1.Point.BASE.multiply(secret).toBytes(true), chainCode: sha256(fromHex('01')) }
    const index = fc.integer({ min: 0, max: PATH_INDEX_MAX })
    fc.assert(
      fc.property(fc.array(index, { maxLength: PATH_DEPTH_MAX }), (path) => {
        const { publicKey, tweak } = deriveChild(root, path)
        expect(tweak.length).equal(32)
        const childSecret = secp256k1.Point.Fn.create(secret + bigint(tweak))
        expect(toHex(secp256k1.Point.BASE.multiply(childSecret).toBytes(true))).equal(toHex(publicKey))
      }),
      { numRuns: 20, seed: 32 },
    )
    expect(deriveChild(root, [])).deep.equal({ ...root, tweak: new Uint8Array(32) })
  })

  it('hardened, negative, fractional and too many indices are refused', () => {
    const root = readXpub(ROOTS[0])
    for (const index of [PATH_INDEX_MAX + 1, 2 ** 32, -1, 0.5, Number.NaN])
      refused(() => deriveChild(root, [0, index]), /^only non-hardened indices can be derived$/)
    refused(() => deriveChild(root, new Array(PATH_DEPTH_MAX + 1).fill(0)), /^a derivation path has at most 8 levels$/)
    expect(deriveChild(root, new Array(PATH_DEPTH_MAX).fill(PATH_INDEX_MAX)).publicKey.length).equal(33)
  })
})

describe('parsePath', () => {
  it('text and path are one to one', () => {
    const index = fc.integer({ min: 0, max: PATH_INDEX_MAX })
    fc.assert(
      fc.property(fc.array(index, { maxLength: PATH_DEPTH_MAX }), (path) => {
        expect(parsePath(formatPath(path))).deep.equal(path)
      }),
      { seed: 32 },
    )
    expect(parsePath('m')).deep.equal([])
    expect(parsePath('m/0/5')).deep.equal([0, 5])
    expect(parsePath('m/2147483647')).deep.equal([PATH_INDEX_MAX])
    expect(formatPath([])).equal('m')
  })

  it('a hardened level is refused with the reason', () => {
    for (const text of ["m/0'", 'm/0h', 'm/0H', "m/44'/0/0", "m/'"]) refused(() => parsePath(text), /private key, which nobody holds/)
    for (const text of ['m/2147483648', 'm/4294967295', 'm/9999999999']) refused(() => parsePath(text), /from 2147483648 on is hardened/)
  })

  it('everything that is not exactly a path is refused', () => {
    for (const text of ['', 'M', '0', '0/5', '/0', 'x/0', ' m', "m'"]) refused(() => parsePath(text), /begins at the root/)
    for (const text of ['m/', 'm//0', 'm/0/', 'm/01', 'm/+1', 'm/-1', 'm/1.0', 'm/1e3', 'm/0x1', 'm/ 1', 'm/1 ', 'm/*', 'm/\u0661', 'm/00'])
      refused(() => parsePath(text), /decimal number without sign/)
    refused(() => parsePath('m/12345678901'), /decimal number/)
    refused(() => parsePath(`m${'/0'.repeat(PATH_DEPTH_MAX + 1)}`), /at most 8 levels/)
    refused(() => parsePath(`m${'/0'.repeat(1_000_000)}`), /at most 8 levels/)
  })
})

describe('formatXpub', () => {
  it('the root keys of the BIP32 vectors are written as published', () => {
    for (const xpub of ROOTS) expect(formatXpub(readXpub(xpub))).equal(xpub)
  })

  it('another length of key or chain code is refused', () => {
    const { publicKey, chainCode } = readXpub(ROOTS[0])
    const shifted = { publicKey: publicKey.slice(0, 32), chainCode: new Uint8Array(33) }
    for (const key of [shifted, { publicKey, chainCode: chainCode.slice(1) }])
      expect(() => formatXpub(key))
        .to.throw(InvalidArgument)
        .with.property('code', 'BAD_LENGTH')
  })
})
