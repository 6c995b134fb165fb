/** 32 bytes, big-endian, in [0, q). Every function here may rely on it and returns it. */
export type Scalar = Uint8Array

/** Scalars one after the other, 32 bytes each; a table holds the columns of row 0, then those of row 1. */
export type Scalars = Uint8Array

declare const isPoint: unique symbol
/** A point of secp256k1, the identity included. Opaque and immutable; belongs to the kernel that made it. */
export interface Point {
  readonly [isPoint]: true
}

declare const isTable: unique symbol
/** Multiples of one point, laid out for many multiplications. */
export interface PointTable {
  readonly [isTable]: true
}

/** Arithmetic modulo q, the order of secp256k1. Constant time in every value. */
export interface ScalarKernel {
  addScalars(a: Scalar, b: Scalar): Scalar
  subScalars(a: Scalar, b: Scalar): Scalar
  mulScalars(a: Scalar, b: Scalar): Scalar
  /** By exponentiation. @throws {RangeError} when `a` is 0. */
  invertScalar(a: Scalar): Scalar
  /** Any number of at most 64 bytes, big-endian, mod q. */
  reduceWide(bytes: Uint8Array): Scalar
  /** Whether every 32 bytes are below q. */
  areCanonical(packed: Uint8Array): boolean
}

/**
 * Vectors of scalars, as OT pads and VOLE need them. `bits` are strings of bits, least significant bit of the first byte first.
 * Constant time in every value; lengths are public. A sum has at most 2^20 products.
 *
 * @throws {RangeError} when lengths do not fit together.
 */
export interface VectorKernel {
  /**
   * Runs `work`. What functions of vectors and bits give meanwhile stays where they work, and is not copied when it is handed to them
   * again: views, to be read and written until `work` returns or throws. Then they are wiped, so that what is to stay must be copied.
   *
   * @throws {RangeError} when what is held comes to more than 2 MiB.
   */
  hold<T>(work: () => T): T
  /**
   * The specification's `Hs` for every row j and column c: 48 bytes of SHA-256 in counter mode, mod q, over `prefix` and then two
   * length-prefixed parts: 20 bytes that are the 32-bit j and row j xor `offset`, and the 32-bit c.
   *
   * @param prefix - all bytes that are hashed before, lengths included.
   * @param rows - 16 bytes each.
   * @param offset - 16 bytes.
   * @returns rows x columns.
   */
  hashRows(prefix: Uint8Array, rows: Uint8Array, offset: Uint8Array | undefined, columns: number): Scalars
  /** `Hs` over `prefix` and one length-prefixed part, the 32-bit j, for j < count. */
  hashIndices(prefix: Uint8Array, count: number): Scalars
  /** `t0 - t1 + offset_c`, for tables with as many columns as `offsets` has scalars. */
  maskedDifferences(t0: Scalars, t1: Scalars, offsets: Scalars): Scalars
  /** For every row j: `sum_c weights_c table_{j,c}`. */
  combineColumns(table: Scalars, weights: Scalars): Scalars
  /** For every row j: `sum_c weights_c table_{j,c} + table_{j,last}`; the table has one column more than there are weights. */
  foldColumns(table: Scalars, weights: Scalars): Scalars
  /** For every column c: `sum_j factors_j table_{j,c}`; as many columns as the lengths say, or only the first `columns` of them. */
  sumColumns(factors: Scalars, table: Scalars, columns?: number): Scalars
  /** `table_{j,c} + bit_j other_{j,c}`. */
  addSelected(table: Scalars, bits: Uint8Array, other: Scalars, columns: number): Scalars
  /** `values_j - bit_j scalar`. */
  subSelected(values: Scalars, bits: Uint8Array, scalar: Scalar): Scalars
  /** `sum_j bit_j factors_j`. */
  sumSelected(factors: Scalars, bits: Uint8Array): Scalar
}

/**
 * Strings of bits, as the OT extension needs them. Constant time in every value; lengths are public.
 *
 * @throws {RangeError} when lengths do not fit together.
 */
export interface BitKernel {
  /**
   * For every seed i: `bytes` bytes of SHA-256 in counter mode over `prefix` and then two length-prefixed parts: seed i (32 bytes)
   * and `name`.
   */
  expandSeeds(prefix: Uint8Array, seeds: Uint8Array, name: Uint8Array, bytes: number): Uint8Array
  /**
   * GF(2^128) with x^128 + x^7 + x^2 + x + 1; an element is 16 bytes, bit i (least significant first) the coefficient of x^i.
   *
   * @param chi - k multipliers.
   * @param columns - strings of k + 1 elements.
   * @returns for each string `sum_k chi_k block_k + block_last`.
   */
  foldBlocks(chi: Uint8Array, columns: Uint8Array): Uint8Array
  /**
   * Columns to rows: bit i of row j is bit j of column i.
   *
   * @param columns - `count` strings of equal length, `count` at most 128.
   * @returns rows of 16 bytes, one for each bit of a column.
   */
  transpose(columns: Uint8Array, count: number): Uint8Array
}

/** secp256k1. Constant time in every scalar and point unless the name says Public. */
export interface PointKernel {
  readonly G: Point
  readonly O: Point
  mulBase(k: Scalar): Point
  mul(p: Point, k: Scalar): Point
  tableOf(p: Point): PointTable
  mulTable(table: PointTable, k: Scalar): Point
  /** Variable time. */
  mulPublic(p: Point, k: Scalar): Point
  /** `a G + b P`. Variable time. */
  combinePublic(a: Scalar, p: Point, b: Scalar): Point
  addPoints(a: Point, b: Point): Point
  subPoints(a: Point, b: Point): Point
  equalPoints(a: Point, b: Point): boolean
  isIdentity(p: Point): boolean
  /** 33 bytes, compressed. @throws {RangeError} on O, which has no encoding. */
  pointToBytes(p: Point): Uint8Array
  /** 33 bytes each, with one shared inversion. @throws {RangeError} on O. */
  pointsToBytes(points: readonly Point[]): Uint8Array[]
  /** A compressed point on the curve and not O, or undefined. Variable time. */
  pointFromBytes(bytes: Uint8Array): Point | undefined
}

export type Kernel = ScalarKernel & VectorKernel & BitKernel & PointKernel
