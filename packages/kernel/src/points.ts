import type { Point, PointKernel, PointTable, Scalar } from './kernel.ts'
import { arena, wasm } from './load.ts'

/** X, Y, Z, each nine limbs and room for three more. */
const POINT_BYTES = 144
const ELEMENT_BYTES = 48
const COMPRESSED_BYTES = 33
/** What `pointStart` works in. */
const START_ROOM_BYTES = 64 * (POINT_BYTES + ELEMENT_BYTES)

/** Arguments are addresses: r and g of a result, p and q of points, a, b and k of scalars. */
interface PointExports {
  pointStart(g: number, room: number): void
  pointMultiply(r: number, p: number, k: number): void
  pointMultiplyBase(r: number, k: number): void
  pointTable(): number
  pointTableBytes(): number
  pointMakeTable(p: number): void
  pointMultiplyTable(r: number, k: number): void
  pointCombine(r: number, a: number, p: number, b: number): void
  pointAdd(r: number, p: number, q: number): void
  pointSubtract(r: number, p: number, q: number): void
  pointEqual(p: number, q: number): number
  pointIsIdentity(p: number): number
  pointCompress(bytes: number, points: number, count: number, room: number): void
  pointDecompress(r: number, bytes: number): number
}
const compiled = wasm as unknown as PointExports

let limbsOf: (p: Point) => Uint8Array
let multiplesOf: (table: PointTable) => Uint8Array | undefined

/** Its coordinates are in a private field, so no log and no JSON shows them. */
class CompiledPoint {
  readonly #limbs: Uint8Array

  constructor(limbs: Uint8Array) {
    this.#limbs = limbs
  }

  static {
    limbsOf = (p) => (p as unknown as CompiledPoint).#limbs
  }
}

class CompiledTable {
  /** Undefined for the identity, all multiples of which are itself. */
  readonly #multiples: Uint8Array | undefined

  constructor(multiples: Uint8Array | undefined) {
    this.#multiples = multiples
  }

  static {
    multiplesOf = (table) => (table as unknown as CompiledTable).#multiples
  }
}

/** Runs `call` with the address of a point, and takes it out. */
function compute(call: (result: number) => void): Point {
  return arena.run((memory) => {
    const result = memory.reserve(POINT_BYTES)
    call(result)
    return new CompiledPoint(memory.take(result, POINT_BYTES)) as unknown as Point
  })
}

const G = compute((g) => compiled.pointStart(g, arena.reserve(START_ROOM_BYTES)))
const O = compute((o) => compiled.pointSubtract(o, arena.put(limbsOf(G)), arena.put(limbsOf(G))))
const ZERO = new Uint8Array(32)

const isIdentity = (p: Point): boolean => arena.run((memory) => compiled.pointIsIdentity(memory.put(limbsOf(p))) === 1)

/** The multiples that lie in the compiled code's memory. One thread multiplies one point many times in a row. */
let loaded: Uint8Array | undefined

function tableOf(p: Point): PointTable {
  if (isIdentity(p)) return new CompiledTable(undefined) as unknown as PointTable
  arena.run((memory) => compiled.pointMakeTable(memory.put(limbsOf(p))))
  loaded = arena.take(compiled.pointTable(), compiled.pointTableBytes())
  return new CompiledTable(loaded) as unknown as PointTable
}

function mulTable(table: PointTable, k: Scalar): Point {
  const multiples = multiplesOf(table)
  if (multiples === undefined) return O
  if (loaded !== multiples) arena.write(compiled.pointTable(), multiples)
  loaded = multiples
  return compute((r) => compiled.pointMultiplyTable(r, arena.put(k)))
}

function combinePublic(a: Scalar, p: Point, b: Scalar): Point {
  return compute((r) => compiled.pointCombine(r, arena.put(a), arena.put(limbsOf(p)), arena.put(b)))
}

function pointsToBytes(points: readonly Point[]): Uint8Array[] {
  if (points.some(isIdentity)) throw new RangeError('the identity has no encoding')
  if (points.length === 0) return []
  const packed = arena.run((memory) => {
    const first = memory.reserve(POINT_BYTES * points.length)
    for (const [i, p] of points.entries()) memory.write(first + POINT_BYTES * i, limbsOf(p))
    const bytes = memory.reserve(COMPRESSED_BYTES * points.length)
    compiled.pointCompress(bytes, first, points.length, memory.reserve(ELEMENT_BYTES * points.length))
    return memory.take(bytes, COMPRESSED_BYTES * points.length)
  })
  return points.map((_, i) => packed.slice(COMPRESSED_BYTES * i, COMPRESSED_BYTES * (i + 1)))
}

function pointFromBytes(bytes: Uint8Array): Point | undefined {
  if (bytes.length !== COMPRESSED_BYTES) return undefined
  return arena.run((memory) => {
    const result = memory.reserve(POINT_BYTES)
    if (compiled.pointDecompress(result, memory.put(bytes)) !== 1) return undefined
    return new CompiledPoint(memory.take(result, POINT_BYTES)) as unknown as Point
  })
}

/** Points by compiled code; assembly/point.ts has the formulas. */
export const points: PointKernel = {
  G,
  O,
  mulBase: (k) => compute((r) => compiled.pointMultiplyBase(r, arena.put(k))),
  mul: (p, k) => compute((r) => compiled.pointMultiply(r, arena.put(limbsOf(p)), arena.put(k))),
  tableOf,
  mulTable,
  mulPublic: (p, k) => combinePublic(ZERO, p, k),
  combinePublic,
  addPoints: (a, b) => compute((r) => compiled.pointAdd(r, arena.put(limbsOf(a)), arena.put(limbsOf(b)))),
  subPoints: (a, b) => compute((r) => compiled.pointSubtract(r, arena.put(limbsOf(a)), arena.put(limbsOf(b)))),
  equalPoints: (a, b) => arena.run((memory) => compiled.pointEqual(memory.put(limbsOf(a)), memory.put(limbsOf(b))) === 1),
  isIdentity,
  pointToBytes: (p) => pointsToBytes([p])[0] as Uint8Array,
  pointsToBytes,
  pointFromBytes,
}
