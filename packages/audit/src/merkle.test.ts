import { fromHex, toHex, u32 } from '@conclave/core'
import { expect } from 'chai'
import {
  consistencyProof,
  foldComplete,
  type HashReader,
  inclusionProof,
  leafHash,
  nodeHash,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from './merkle.ts'
import { naiveConsistency, naivePath, naiveRoot } from './naive-tree.fixture.ts'

/** Leaves and roots of the reference implementations of Certificate Transparency. */
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map((h) => fromHex(h))
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

const SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33]
const entries = Array.from({ length: 33 }, (_, i) => u32(i))

const readerOf = (d: readonly Uint8Array[]): HashReader => ({
  hash: async ({ level, index }) => {
    const leaves = d.slice(index * 2 ** level, (index + 1) * 2 ** level).map(leafHash)
    return foldComplete(new Uint8Array(Buffer.concat(leaves)))
  },
})
const reader = readerOf(entries)
const hex = (hashes: readonly Uint8Array[]) => hashes.map(toHex)

describe('merkle', () => {
  it('roots: are those of the reference vectors', async () => {
    for (const [i, root] of ROOTS.entries()) expect(toHex(await rootOf(readerOf(LEAVES), i + 1))).equals(root)
    expect(toHex(await rootOf(reader, 0))).equals('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  })

  it('roots and proofs: are what the recursive definitions give, at every size and index', async () => {
    for (const n of SIZES) {
      const d = entries.slice(0, n)
      expect(toHex(await rootOf(reader, n))).equals(toHex(naiveRoot(d)))
      for (let i = 0; i < n; i++) expect(hex(await inclusionProof(reader, i, n))).deep.equals(hex(naivePath(i, d)))
      for (let m = 1; m <= n; m++) expect(hex(await consistencyProof(reader, m, n))).deep.equals(hex(naiveConsistency(m, d)))
    }
  })

  it('inclusion: holds for the right leaf, index and size, and for no other', async () => {
    for (const n of SIZES) {
      const root = naiveRoot(entries.slice(0, n))
      for (let i = 0; i < n; i++) {
        const proof = naivePath(i, entries.slice(0, n))
        const leaf = leafHash(entries[i] as Uint8Array)
        const holds = (index: number, size = n, by = proof) => verifyInclusion(leaf, { index, size }, by, root)
        expect(holds(i)).equals(true)
        for (let j = 0; j < n; j++) if (j !== i) expect(holds(j), `${i} as ${j} of ${n}`).equals(false)
        expect(holds(i, n, [...proof, root])).equals(false)
        if (proof.length > 0) expect(holds(i, n, proof.slice(1))).equals(false)
        expect(verifyInclusion(root, { index: i, size: n }, proof, root)).equals(n === 1)
      }
    }
  })

  it('inclusion: no byte of a proof can be changed, and no nonsense throws', async () => {
    const root = naiveRoot(entries)
    const proof = naivePath(12, entries)
    const leaf = leafHash(entries[12] as Uint8Array)
    for (let p = 0; p < proof.length; p++) {
      for (let b = 0; b < 32; b++) {
        const changed = proof.map((h) => h.slice())
        ;(changed[p] as Uint8Array)[b] = ((changed[p] as Uint8Array)[b] as number) ^ 1
        expect(verifyInclusion(leaf, { index: 12, size: 33 }, changed, root)).equals(false)
      }
    }
    for (const index of [-1, 33, 1.5, Number.NaN]) expect(verifyInclusion(leaf, { index, size: 33 }, proof, root)).equals(false)
    expect(verifyInclusion(leaf, { index: 12, size: 2 ** 60 }, proof, root)).equals(false)
    expect(verifyInclusion(leaf, { index: 12, size: 33 }, [new Uint8Array(31), ...proof.slice(1)], root)).equals(false)
  })

  it('consistency: holds between trees of one history, and between no others', async () => {
    const fork = entries.map((e, i) => (i === 2 ? u32(99) : e))
    for (const n of SIZES) {
      const next = { size: n, root: naiveRoot(entries.slice(0, n)) }
      const forked = { size: n, root: naiveRoot(fork.slice(0, n)) }
      for (let m = 1; m <= n; m++) {
        const old = { size: m, root: naiveRoot(entries.slice(0, m)) }
        const proof = naiveConsistency(m, entries.slice(0, n))
        expect(verifyConsistency(old, next, proof), `${m} to ${n}`).equals(true)
        expect(verifyConsistency(old, next, [...proof, next.root])).equals(false)
        if (n > 2)
          expect(verifyConsistency(old, forked, naiveConsistency(m, fork.slice(0, n))), `${m} to a fork of ${n}`).equals(false || m <= 2)
        if (m < n) expect(verifyConsistency(next, old, proof)).equals(false)
        if (proof.length > 0) expect(verifyConsistency(old, next, proof.slice(1))).equals(false)
      }
    }
  })

  it('consistency: from nothing it needs no proof, and nothing else is nothing', () => {
    const [empty, next] = [naiveRoot([]), { size: 3, root: naiveRoot(entries.slice(0, 3)) }]
    expect(verifyConsistency({ size: 0, root: empty }, next, [])).equals(true)
    expect(verifyConsistency({ size: 0, root: next.root }, next, [])).equals(false)
    expect(verifyConsistency({ size: 0, root: empty }, { size: 0, root: empty }, [])).equals(true)
    expect(verifyConsistency({ size: 0, root: empty }, { size: 0, root: next.root }, [])).equals(false)
  })

  it('leaves and nodes: are hashed apart, so that no node is taken for an entry', () => {
    const [a, b] = [leafHash(u32(1)), leafHash(u32(2))]
    expect(toHex(nodeHash(a, b))).not.equals(toHex(leafHash(new Uint8Array(Buffer.concat([a, b])))))
  })
})
