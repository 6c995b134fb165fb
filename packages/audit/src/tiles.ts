import { concat } from '@conclave/core'
import { damaged } from './audit-error.ts'
import { foldComplete, HASH_BYTES, type HashReader, SIZE_MAX, type Subtree } from './merkle.ts'

/** C2SP tlog-tiles: a tile is a row of 256 hashes, eight levels of the tree above the row below. */
export const TILE_WIDTH = 256
const TILE_HEIGHT = 8
/** 256^5 reaches SIZE_MAX. */
export const TILE_LEVELS_MAX = 6

/** Hash tiles have a level; bundles of entries stand beside level 0. */
export type TileLevel = number | 'entries'

export interface TileAddress {
  readonly level: TileLevel
  readonly index: number
  /** 1 to 256; a full one when 256. */
  readonly width: number
}

/** `tile/<L>/<N>[.p/<W>]`, N in groups of three digits. */
export function tilePath({ level, index, width }: TileAddress): string {
  const groups = [String(index % 1000).padStart(3, '0')]
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    groups.unshift(`x${String(rest % 1000).padStart(3, '0')}`)
  }
  return `tile/${level}/${groups.join('/')}${width === TILE_WIDTH ? '' : `.p/${width}`}`
}

const PATH = /^tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/

/** The address that a path stands for; undefined unless it is the one way to write it. */
export function parseTilePath(path: string): TileAddress | undefined {
  const [, level, digits, width] = PATH.exec(path) ?? []
  if (level === undefined || digits === undefined || digits.length > 30) return undefined
  const address: TileAddress = {
    level: level === 'entries' ? level : Number(level),
    index: Number(digits.replaceAll(/[x/]/g, '')),
    width: width === undefined ? TILE_WIDTH : Number(width),
  }
  if (address.index > SIZE_MAX || tilePath(address) !== path) return undefined
  return address
}

/** Hashes that a tree of `size` has in the tiles of a level. */
export function tileHashes(level: number, size: number): number {
  return Math.floor(size / TILE_WIDTH ** level)
}

/** Width of a tile in a tree of `size`; 0 when it is not there. */
export function tileWidth(level: TileLevel, index: number, size: number): number {
  const present = tileHashes(level === 'entries' ? 0 : level, size) - index * TILE_WIDTH
  return Math.max(0, Math.min(TILE_WIDTH, present))
}

/** Tiles and bundles that are in a tree of `size` and not, or not so wide, in one of `from`. */
export function* changedTiles(from: number, size: number): Generator<TileAddress> {
  for (let index = Math.floor(from / TILE_WIDTH); tileWidth('entries', index, size) > 0; index++) {
    yield { level: 'entries', index, width: tileWidth('entries', index, size) }
  }
  for (let level = 0; tileHashes(level, size) > 0; level++) {
    const [before, present] = [tileHashes(level, from), tileHashes(level, size)]
    if (before === present) continue
    for (let index = Math.floor(before / TILE_WIDTH); index * TILE_WIDTH < present; index++) {
      yield { level, index, width: tileWidth(level, index, size) }
    }
  }
}

/** Where tiles are kept. */
export interface TileSource {
  /** `width` hashes, 32 bytes each. @throws {AuditError} AUDIT_DAMAGED, BAD_SOURCE. */
  tile(address: TileAddress): Promise<Uint8Array>
}

const CACHED_MAX = 64

/** Hashes of the tree of `size` leaves, out of its tiles. The last few tiles stay in memory. */
export class TileReader implements HashReader {
  readonly #source: TileSource
  readonly #size: number
  readonly #cached = new Map<string, Promise<Uint8Array>>()

  constructor(source: TileSource, size: number) {
    this.#source = source
    this.#size = size
  }

  async hash({ level, index }: Subtree): Promise<Uint8Array> {
    const tileLevel = Math.floor(level / TILE_HEIGHT)
    const count = 2 ** (level % TILE_HEIGHT)
    const first = index * count
    const tile = Math.floor(first / TILE_WIDTH)
    const at = (first % TILE_WIDTH) * HASH_BYTES
    const hashes = (await this.#tile(tileLevel, tile)).subarray(at, at + count * HASH_BYTES)
    if (hashes.length !== count * HASH_BYTES) throw damaged(`a tile of level ${tileLevel} is too short`)
    return foldComplete(hashes)
  }

  #tile(level: number, index: number): Promise<Uint8Array> {
    const address = { level, index, width: tileWidth(level, index, this.#size) }
    const name = tilePath(address)
    const cached = this.#cached.get(name)
    if (cached !== undefined) return cached
    const tile = this.#source.tile(address)
    // Whoever asks gets the failure; nobody else does.
    tile.catch(() => this.#cached.delete(name))
    this.#cached.set(name, tile)
    if (this.#cached.size > CACHED_MAX) this.#cached.delete(this.#cached.keys().next().value as string)
    return tile
  }
}

interface Row {
  /** Index of the first hash that is held: the first of its tile. */
  first: number
  readonly hashes: Uint8Array[]
}

/** The right edge of a growing tree: at every level the tiles that are not full, and the full ones that nobody has released. */
export class TreeEdge implements TileSource {
  readonly #rows: Row[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The edge of a tree of `size`. @param partial - hashes of the partial tile of a level, as many as it has. */
  static async load(size: number, partial: (address: TileAddress) => Promise<Uint8Array>): Promise<TreeEdge> {
    const edge = new TreeEdge()
    edge.#size = size
    for (let level = 0; tileHashes(level, size) > 0; level++) {
      const present = tileHashes(level, size)
      const width = present % TILE_WIDTH
      const index = Math.floor(present / TILE_WIDTH)
      const bytes = width === 0 ? new Uint8Array(0) : await partial({ level, index, width })
      if (bytes.length !== width * HASH_BYTES) throw damaged(`${tilePath({ level, index, width })} has a wrong length`)
      const hashes = Array.from({ length: width }, (_, i) => bytes.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES))
      edge.#rows.push({ first: present - width, hashes })
    }
    return edge
  }

  push(leaf: Uint8Array): void {
    this.#size++
    this.#push(0, leaf)
  }

  /** True when this holds the hashes of a tile, up to `width` of them. */
  has({ level, index, width }: TileAddress): boolean {
    const row = level === 'entries' ? undefined : this.#rows[level]
    return row !== undefined && index * TILE_WIDTH >= row.first && index * TILE_WIDTH + width <= row.first + row.hashes.length
  }

  async tile(address: TileAddress): Promise<Uint8Array> {
    return this.held(address)
  }

  /** As {@link tile}, at once. */
  held(address: TileAddress): Uint8Array {
    if (!this.has(address)) throw damaged(`${tilePath(address)} is not at hand`)
    const row = this.#rows[address.level as number] as Row
    const at = address.index * TILE_WIDTH - row.first
    return concat(...row.hashes.slice(at, at + address.width))
  }

  /** Forgets the tiles that are full in a tree of `size`. */
  release(size: number): void {
    for (const [level, row] of this.#rows.entries()) {
      const keep = Math.floor(tileHashes(level, size) / TILE_WIDTH) * TILE_WIDTH
      if (keep > row.first) row.hashes.splice(0, keep - row.first)
      row.first = Math.max(row.first, keep)
    }
  }

  #push(level: number, hash: Uint8Array): void {
    let row = this.#rows[level]
    if (row === undefined) {
      row = { first: 0, hashes: [] }
      this.#rows.push(row)
    }
    row.hashes.push(hash)
    if ((row.first + row.hashes.length) % TILE_WIDTH === 0) this.#push(level + 1, foldComplete(concat(...row.hashes.slice(-TILE_WIDTH))))
  }
}
