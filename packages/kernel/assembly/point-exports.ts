import { combine, prepare } from './combine'
import { settle } from './field'
import { FIXED_TABLE, makeTable, multiply, multiplyTable } from './multiply'
import { add, compress, decompress, equal, isIdentity, negate, wipeTemporaries } from './point'
import { ELEMENT } from './product'

// Points, as they cross to JavaScript. AssemblyScript.

/** Limbs of magnitude 2: X, Y, Z of the generator. */
const GENERATOR = memory.data<i32>([
  0x16f81798, 0x0f940ad8, 0x138a3656, 0x17f9b65b, 0x10b07029, 0x114ae743, 0x0eb15681, 0x0fdf3b97, 0x79be66, 0, 0, 0,
  0x1b10d4b8, 0x023e847f, 0x01550667, 0x0f68914d, 0x108a8fd1, 0x1dfe0708, 0x11957693, 0x0ee4d478, 0x483ada, 0, 0, 0,
  1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
])
const G_TABLE = memory.data(132096, 16)
/** Of the point that was multiplied last. */
const TABLE = memory.data(132096, 16)

/** Makes the tables of G and writes G. Needs 64 points and 64 elements of room. Call it once, first. */
export function pointStart(g: usize, room: usize): void {
  settle(g, GENERATOR, 1)
  settle(g + ELEMENT, GENERATOR + ELEMENT, 1)
  settle(g + 2 * ELEMENT, GENERATOR + 2 * ELEMENT, 1)
  makeTable(G_TABLE, g)
  prepare(g, room)
}

export function pointMultiply(r: usize, p: usize, k: usize): void {
  multiply(r, p, k)
}

export function pointMultiplyBase(r: usize, k: usize): void {
  multiplyTable(r, G_TABLE, k)
}

/** The table that `pointMultiplyTable` reads, of `pointTableBytes` bytes. */
export function pointTable(): usize {
  return TABLE
}

export function pointTableBytes(): usize {
  return FIXED_TABLE
}

/** Fills the table for a point that is not the identity. */
export function pointMakeTable(p: usize): void {
  makeTable(TABLE, p)
}

export function pointMultiplyTable(r: usize, k: usize): void {
  multiplyTable(r, TABLE, k)
}

export function pointCombine(r: usize, a: usize, p: usize, b: usize): void {
  combine(r, a, p, b)
}

export function pointAdd(r: usize, p: usize, q: usize): void {
  add(r, p, q)
  wipeTemporaries()
}

export function pointSubtract(r: usize, p: usize, q: usize): void {
  negate(r, q)
  add(r, p, r)
  wipeTemporaries()
}

export function pointEqual(p: usize, q: usize): i32 {
  const same = equal(p, q)
  wipeTemporaries()
  return same
}

export function pointIsIdentity(p: usize): i32 {
  const is = isIdentity(p)
  wipeTemporaries()
  return is
}

/** See `compress`; `room` is for as many points as there are. */
export function pointCompress(bytes: usize, points: usize, count: usize, room: usize): void {
  compress(bytes, points, count, room)
  wipeTemporaries()
}

export function pointDecompress(r: usize, bytes: usize): i32 {
  const ok = decompress(r, bytes)
  wipeTemporaries()
  return ok
}

