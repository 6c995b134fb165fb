import { equalBytes } from '@conclave/core'
import { AuditError } from './audit-error.ts'
import { type AuditEntry, parseBundle, parseEntry } from './entry.ts'
import type { Findings } from './findings.ts'
import { leafHash, rootOf, type TreeHead } from './merkle.ts'
import { TILE_WIDTH, type TileAddress, TileReader, TreeEdge, tileHashes, tilePath, tileWidth } from './tiles.ts'

/** A root that a tree must have at a size, by somebody's word. */
export interface Mark extends TreeHead {
  /** Whose word. */
  readonly where: string
  /** What it means when the root is another one. */
  readonly code: 'ROOT_MISMATCH' | 'FORKED'
}

/** The files of a log as somebody serves them. */
export interface LogFilesReader {
  /** Undefined when there is no such file. @throws {AuditError} BAD_SOURCE, AUDIT_UNAVAILABLE, AUDIT_DAMAGED. */
  read(path: string, bytesMax?: number): Promise<Uint8Array | undefined>
}

export interface WalkOptions {
  readonly node: string
  readonly findings: Findings
  readonly marks: readonly Mark[]
  /** Told of every entry that can be read, in order. */
  readonly entry?: (entry: AuditEntry, index: number, bytes: Uint8Array) => void
  /** Compares what is stored with what the entries come to. */
  readonly tile: (address: TileAddress, expected: Uint8Array) => Promise<void>
}

/** Goes through a log from its first entry, builds the tree of what it finds, and holds everything else against that. */
export class TreeWalk {
  readonly #o: WalkOptions
  readonly #edge = new TreeEdge()
  readonly #marks: Map<number, Mark[]>

  constructor(options: WalkOptions) {
    this.#o = options
    this.#marks = Map.groupBy(options.marks, (m) => m.size)
  }

  get size(): number {
    return this.#edge.size
  }

  /** Root of what has been walked. */
  root(): Promise<Uint8Array> {
    return rootOf(new TileReader(this.#edge, this.size), this.size)
  }

  /** Roots of size 0 are checked, too. */
  async begin(): Promise<void> {
    await this.#checkMarks()
  }

  /** Entries that come next. */
  async entries(entries: readonly Uint8Array[]): Promise<void> {
    for (const bytes of entries) {
      this.#judge(bytes)
      this.#edge.push(leafHash(bytes))
      if (this.#marks.has(this.size)) await this.#checkMarks()
      if (this.size % TILE_WIDTH === 0) await this.#fullTiles()
    }
  }

  /** Compares the tiles that are not full. */
  async end(): Promise<void> {
    for (let level = 0; tileHashes(level, this.size) > 0; level++) {
      const index = Math.floor(tileHashes(level, this.size) / TILE_WIDTH)
      const width = tileWidth(level, index, this.size)
      if (width > 0) await this.#compare({ level, index, width })
    }
    for (const mark of this.#o.marks) {
      if (mark.size > this.size)
        this.#o.findings.add('TRUNCATED', mark.where, `it is of ${mark.size} entries, and the log has ${this.size}`)
    }
  }

  #judge(bytes: Uint8Array): void {
    const index = this.size
    const { findings, node, entry: found } = this.#o
    let entry: AuditEntry
    try {
      entry = parseEntry(bytes)
    } catch (error) {
      findings.add('BAD_ENTRY', `entry ${index}`, (error as AuditError).message)
      return
    }
    if (entry.node !== node) findings.add('FOREIGN_ENTRY', `entry ${index}`, `it is of node "${entry.node}"`)
    found?.(entry, index, bytes)
  }

  async #checkMarks(): Promise<void> {
    for (const { where, code, root } of this.#marks.get(this.size) ?? []) {
      if (!equalBytes(await this.root(), root)) this.#o.findings.add(code, where, `the first ${this.size} entries come to another root`)
    }
  }

  /** A tile is full when the size is a multiple of what it spans. */
  async #fullTiles(): Promise<void> {
    for (let level = 0; this.size % TILE_WIDTH ** (level + 1) === 0; level++) {
      await this.#compare({ level, index: this.size / TILE_WIDTH ** (level + 1) - 1, width: TILE_WIDTH })
    }
    this.#edge.release(this.size)
  }

  #compare(address: TileAddress): Promise<void> {
    return this.#o.tile(address, this.#edge.held(address))
  }
}

/** Where the first `width` entries of a bundle end. */
function prefixBytes(bundle: Uint8Array, width: number): number {
  const view = new DataView(bundle.buffer, bundle.byteOffset, bundle.length)
  let at = 0
  for (let i = 0; i < width && at + 2 <= bundle.length; i++) at += 2 + view.getUint16(at)
  return Math.min(at, bundle.length)
}

/** The beginning of a bundle with the entries of a narrower one. */
export function bundlePrefix(bundle: Uint8Array, width: number): Uint8Array {
  return bundle.subarray(0, prefixBytes(bundle, width))
}

/**
 * Entries of a bundle: of the partial one of that width, or the first of the full one.
 *
 * @throws {AuditError} MISSING, BAD_ENTRY, and what the source throws.
 */
export async function readBundle(source: LogFilesReader, address: TileAddress): Promise<readonly Uint8Array[]> {
  const bytes = (await source.read(tilePath(address))) ?? (await source.read(tilePath({ ...address, width: TILE_WIDTH })))
  if (bytes === undefined) throw new AuditError('MISSING', 'this bundle of entries is missing')
  return parseBundle(bundlePrefix(bytes, address.width), address.width)
}
