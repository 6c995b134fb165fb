/** BIP32 without the hardened half: every child of a key that nobody holds whole is reached from its public side. */
import { createHmac, createSecretKey } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { createBase58check } from '@scure/base'
import { concat, fromHex, toHex, u32 } from './bytes.ts'
import { InvalidArgument } from './errors.ts'

export const PATH_DEPTH_MAX = 8
/** The highest index that is not hardened. */
export const PATH_INDEX_MAX = 0x7fffffff

/** Indices from the root key down; the empty path is the root itself. */
export type DerivationPath = readonly number[]

/** What BIP32 calls an extended public key, without its place in the tree. */
export interface ExtendedKey {
  /** 33 bytes. */
  readonly publicKey: Uint8Array
  /** 32 bytes. */
  readonly chainCode: Uint8Array
}

export interface ChildKey extends ExtendedKey {
  /** 32 bytes, big-endian, below q: what is added to the key that the path began at. */
  readonly tweak: Uint8Array
}

const XPUB_VERSION = fromHex('0488b21e')
const XPUB_BYTES = 78
const LEVEL = /^(0|[1-9][0-9]{0,9})$/
const HARDENED = /['hH]$/

const { Point } = secp256k1
const { Fn } = Point
const base58check = createBase58check(sha256)

function badPath(message: string, index?: number): InvalidArgument {
  return new InvalidArgument('BAD_PATH', message, index === undefined ? {} : { index })
}

/** One level of a path as text. @throws {InvalidArgument} BAD_PATH. */
export function parsePathIndex(text: string): number {
  if (HARDENED.test(text))
    throw badPath("a hardened level (' or h) is derived from the private key, which nobody holds: leave the mark out")
  if (!LEVEL.test(text)) throw badPath('a level of a derivation path is a decimal number without sign or leading zero')
  const index = Number(text)
  if (index > PATH_INDEX_MAX) throw badPath(`an index from ${PATH_INDEX_MAX + 1} on is hardened: only lower ones can be derived`, index)
  return index
}

/**
 * The levels of a path's text below `m`: none for `m` itself. What a level looks like is the caller's to check.
 *
 * @throws {InvalidArgument} BAD_PATH when the text does not begin at `m` or has more than 8 levels.
 */
export function pathLevels(text: string): readonly string[] {
  const [root, ...levels] = text.split('/', PATH_DEPTH_MAX + 2)
  if (root !== 'm') throw badPath('a derivation path begins at the root: m, or m/0/5')
  if (levels.length > PATH_DEPTH_MAX) throw badPath(`a derivation path has at most ${PATH_DEPTH_MAX} levels`)
  return levels
}

/** `m/0/5` -> [0, 5]; `m` -> []. One text per path. @throws {InvalidArgument} BAD_PATH. */
export function parsePath(text: string): DerivationPath {
  return pathLevels(text).map(parsePathIndex)
}

/** [0, 5] -> `m/0/5`. */
export function formatPath(path: DerivationPath): string {
  return ['m', ...path].join('/')
}

/** The half of a derivation step that takes no curve. */
export interface ChildStep {
  /** 32 bytes: what is added to the parent's key. No child when it is q or more. */
  readonly step: Uint8Array
  readonly chainCode: Uint8Array
}

/** `index` is not checked here: {@link checkPath}. */
export function childStep({ publicKey, chainCode }: ExtendedKey, index: number): ChildStep {
  const out = createHmac('sha512', createSecretKey(chainCode)).update(publicKey).update(u32(index)).digest()
  return { step: Uint8Array.from(out.subarray(0, 32)), chainCode: Uint8Array.from(out.subarray(32)) }
}

export const noChild = (index: number): InvalidArgument => badPath('this index has no child key', index)

function childOf(parent: ChildKey, index: number): ChildKey {
  const { step, chainCode } = childStep(parent, index)
  const value = BigInt(`0x${toHex(step)}`)
  if (value >= Fn.ORDER) throw noChild(index)
  // Everything here is public, so the time it takes may tell it.
  const child = Point.fromBytes(parent.publicKey).add(Point.BASE.multiplyUnsafe(value))
  if (child.is0()) throw noChild(index)
  return { publicKey: child.toBytes(true), chainCode, tweak: Fn.toBytes(Fn.add(Fn.fromBytes(parent.tweak), value)) }
}

/** Whether a path is one that can be derived, without the cost of doing it. @throws {InvalidArgument} BAD_PATH. */
export function checkPath(path: DerivationPath): void {
  if (path.length > PATH_DEPTH_MAX) throw badPath(`a derivation path has at most ${PATH_DEPTH_MAX} levels`)
  for (const index of path) {
    if (!Number.isInteger(index) || index < 0 || index > PATH_INDEX_MAX) throw badPath('only non-hardened indices can be derived', index)
  }
}

/**
 * BIP32 non-hardened public derivation; the empty path gives the key itself and the tweak 0.
 *
 * @throws {InvalidArgument} BAD_PATH on more than 8 levels, a hardened index, or an index without a child (probability 2^-127).
 */
export function deriveChild({ publicKey, chainCode }: ExtendedKey, path: DerivationPath): ChildKey {
  checkPath(path)
  return path.reduce(childOf, { publicKey, chainCode, tweak: new Uint8Array(32) })
}

/**
 * The BIP32 `xpub` of a root key: depth 0, no parent, so that paths in it are the paths of this key.
 *
 * Whoever has it derives every child's address, and signs with none of them.
 */
export function formatXpub({ publicKey, chainCode }: ExtendedKey): string {
  if (publicKey.length !== 33 || chainCode.length !== 32) throw new InvalidArgument('BAD_LENGTH', 'an xpub is made of 33 and 32 bytes')
  const place = new Uint8Array(XPUB_BYTES - XPUB_VERSION.length - chainCode.length - publicKey.length)
  return base58check.encode(concat(XPUB_VERSION, place, chainCode, publicKey))
}
