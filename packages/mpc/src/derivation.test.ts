import { createHash } from 'node:crypto'
import { deriveChild, InvalidArgument, utf8 } from '@conclave/core'
import { expect } from 'chai'
import fc from 'fast-check'
import { addScalars, areCanonical } from './arithmetic.ts'
import { derive, PATH_DEPTH_MAX } from './derivation.ts'
import { addPoints, mulBase, type Point, pointFromBytes, pointToBytes } from './points.ts'
import { always } from './testing/property.fixture.ts'
import { scalar } from './testing/scalars.fixture.ts'
import { sha256 } from './testing/verify.fixture.ts'

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** Public key and chain code of an `xpub`, its checksum verified. */
function parseXpub(text: string) {
  const value = [...text].reduce((sum, c) => sum * 58n + BigInt(ALPHABET.indexOf(c)), 0n)
  const bytes = Uint8Array.from(Buffer.from(value.toString(16).padStart(164, '0'), 'hex'))
  expect(sha256(sha256(bytes.subarray(0, 78))).subarray(0, 4)).to.deep.equal(bytes.subarray(78))
  return { chainCode: bytes.slice(13, 45), publicKey: bytes.slice(45, 78) }
}

/** BIP32, test vectors 1 and 2: every step of theirs that is not hardened. */
const VECTORS: readonly (readonly [string, readonly number[], string])[] = [
  [
    'xpub68Gmy5EdvgibQVfPdqkBBCHxA5htiqg55crXYuXoQRKfDBFA1WEjWgP6LHhwBZeNK1VTsfTFUHCdrfp1bgwQ9xv5ski8PX9rL2dZXvgGDnw',
    [1],
    'xpub6ASuArnXKPbfEwhqN6e3mwBcDTgzisQN1wXN9BJcM47sSikHjJf3UFHKkNAWbWMiGj7Wf5uMash7SyYq527Hqck2AxYysAA7xmALppuCkwQ',
  ],
  [
    'xpub6D4BDPcP2GT577Vvch3R8wDkScZWzQzMMUm3PWbmWvVJrZwQY4VUNgqFJPMM3No2dFDFGTsxxpG5uJh7n7epu4trkrX7x7DogT5Uv6fcLW5',
    [2],
    'xpub6FHa3pjLCk84BayeJxFW2SP4XRrFd1JYnxeLeU8EqN3vDfZmbqBqaGJAyiLjTAwm6ZLRQUMv1ZACTj37sR62cfN7fe5JnJ7dh8zL4fiyLHV',
  ],
  [
    'xpub6D4BDPcP2GT577Vvch3R8wDkScZWzQzMMUm3PWbmWvVJrZwQY4VUNgqFJPMM3No2dFDFGTsxxpG5uJh7n7epu4trkrX7x7DogT5Uv6fcLW5',
    [2, 1000000000],
    'xpub6H1LXWLaKsWFhvm6RVpEL9P4KfRZSW7abD2ttkWP3SSQvnyA8FSVqNTEcYFgJS2UaFcxupHiYkro49S8yGasTvXEYBVPamhGW6cFJodrTHy',
  ],
  [
    'xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W6oDMSgv6Zz8idoc4a6mr8BDzTJY47LJhkJ8UB7WEGuduB',
    [0],
    'xpub69H7F5d8KSRgmmdJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LgpeyGmXUbC6wb7ERfvrnKZjXoUmmDznezpbZb7ap6r1D3tgFxHmwMkQTPH',
  ],
]

const root = {
  publicKey: pointToBytes(mulBase(scalar(77n))),
  chainCode: new Uint8Array(createHash('sha256').update('chain code').digest()),
}

describe('derivation', () => {
  it('derivation: the public vectors of BIP32 are met', () => {
    for (const [parent, path, child] of VECTORS) {
      const from = parseXpub(parent)
      const { publicKey, chainCode } = derive(from.publicKey, from.chainCode, path)
      expect({ publicKey, chainCode }).to.deep.equal(parseXpub(child))
    }
  })

  it('derivation: a child is the same each time, for its own root and chain code, and what is done to one does not show in the next', () => {
    const first = derive(root.publicKey, root.chainCode, [3, 5])
    const before = structuredClone(first)
    for (const bytes of Object.values(first)) bytes.fill(0)
    expect(derive(root.publicKey, root.chainCode, [3, 5])).to.deep.equal(before)
    const others = [
      derive(root.publicKey, root.chainCode, [35]),
      derive(root.publicKey, root.chainCode, [3]),
      derive(root.publicKey, before.chainCode, [3, 5]),
      derive(before.publicKey, root.chainCode, [3, 5]),
    ]
    for (const other of others) expect(other).not.to.deep.equal(before)
    for (const { publicKey, tweak } of [before, ...others.slice(0, 2)]) {
      const p = addPoints(pointFromBytes(root.publicKey) as Point, mulBase(tweak))
      expect(pointToBytes(p)).to.deep.equal(publicKey)
    }
  })

  it('derivation: the tweak is what the signers add to the root key', () => {
    for (const path of [[], [0], [0, 1], [5, 0x7fffffff, 3], Array.from({ length: PATH_DEPTH_MAX }, (_, i) => i)]) {
      const { publicKey, tweak } = derive(root.publicKey, root.chainCode, path)
      expect(pointToBytes(mulBase(addScalars(scalar(77n), tweak)))).to.deep.equal(publicKey)
      expect(areCanonical(tweak)).to.equal(true)
    }
  })

  it('derivation: it is the derivation of core, whose every step is by another library', () => {
    always(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 0x7fffffff }), { maxLength: 3 }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        (path, code) => {
          expect(derive(root.publicKey, code, path)).to.deep.equal(deriveChild({ publicKey: root.publicKey, chainCode: code }, path))
        },
      ),
      { numRuns: 20 },
    )
  })

  it('derivation: a public key that is no point is refused, once something is derived from it', () => {
    for (const bytes of [new Uint8Array(33), root.publicKey.subarray(1), new Uint8Array(0)])
      expect(() => derive(bytes, root.chainCode, [0]))
        .to.throw(InvalidArgument)
        .with.property('code', 'BAD_KEY')
  })

  it('derivation: a path is the same step by step, and the empty path is the root', () => {
    const once = derive(root.publicKey, root.chainCode, [3, 4])
    const first = derive(root.publicKey, root.chainCode, [3])
    const second = derive(first.publicKey, first.chainCode, [4])
    expect(second.publicKey).to.deep.equal(once.publicKey)
    expect(second.chainCode).to.deep.equal(once.chainCode)
    expect(addScalars(first.tweak, second.tweak)).to.deep.equal(once.tweak)
    expect(derive(root.publicKey, root.chainCode, [])).to.deep.equal({ ...root, tweak: scalar(0n) })
  })

  it('derivation: paths, keys and chain codes that differ give different children', () => {
    const other = { publicKey: pointToBytes(mulBase(scalar(78n))), chainCode: utf8('x'.repeat(32)) }
    const made = [
      derive(root.publicKey, root.chainCode, [1]),
      derive(root.publicKey, root.chainCode, [2]),
      derive(root.publicKey, root.chainCode, [1, 2]),
      derive(root.publicKey, root.chainCode, [2, 1]),
      derive(root.publicKey, other.chainCode, [1]),
      derive(other.publicKey, root.chainCode, [1]),
    ]
    expect(new Set(made.map((d) => Buffer.from(d.publicKey).toString('hex'))).size).to.equal(made.length)
    expect(made.every((d) => pointFromBytes(d.publicKey) !== undefined)).to.equal(true)
  })

  it('derivation: hardened, negative, fractional and too many indices are refused', () => {
    for (const path of [
      [0x80000000],
      [2 ** 32],
      [-1],
      [0.5],
      [Number.NaN],
      [Number.POSITIVE_INFINITY],
      [0, 0x80000000],
      new Array(PATH_DEPTH_MAX + 1).fill(0),
    ])
      expect(() => derive(root.publicKey, root.chainCode, path), String(path))
        .to.throw(InvalidArgument)
        .with.property('code', 'BAD_PATH')
  })
})
