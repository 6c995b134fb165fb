// A reader of tiled logs written from the text of the C2SP specifications (signed-note, tlog-checkpoint, tlog-tiles, tlog-cosignature) and
// RFC 6962 alone. It imports nothing of this package and shares no code with it.
import { createHash, createPublicKey, verify } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const h = createHash('sha256')
  for (const p of parts) h.update(p)
  return h.digest()
}

interface Signature {
  readonly name: string
  readonly id: string
  readonly bytes: Buffer
}

/** signed-note: the text ends before the last empty line. */
function readNote(raw: Buffer): { text: string; signatures: Signature[] } {
  const whole = raw.toString('utf8')
  const at = whole.lastIndexOf('\n\n')
  const signatures = whole
    .slice(at + 2)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const match = /^\u2014 (\S+) (\S+)$/.exec(line)
      if (match === null) throw new Error(`not a signature line: ${line}`)
      const bytes = Buffer.from(match[2] as string, 'base64')
      return { name: match[1] as string, id: bytes.subarray(0, 4).toString('hex'), bytes: bytes.subarray(4) }
    })
  return { text: whole.slice(0, at + 1), signatures }
}

const ed25519 = (publicKey: Uint8Array) =>
  createPublicKey({ key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), publicKey]), format: 'der', type: 'spki' })

/** SHA-256(name || newline || type || key), the first four bytes. */
const keyId = (name: string, type: number, publicKey: Uint8Array) =>
  sha256(Buffer.from(`${name}\n`), Buffer.of(type), publicKey)
    .subarray(0, 4)
    .toString('hex')

/** tlog-tiles: N in groups of three digits, all but the last with an x before it. */
function encodeIndex(n: number): string {
  let digits = String(n)
  while (digits.length % 3 !== 0) digits = `0${digits}`
  const groups = digits.match(/.{3}/g) as string[]
  return groups.map((g, i) => (i < groups.length - 1 ? `x${g}` : g)).join('/')
}

export interface Ed25519Key {
  readonly name: string
  readonly publicKey: Uint8Array
}

export class IndependentReader {
  readonly #dir: string
  constructor(dir: string) {
    this.#dir = dir
  }

  /** Origin, size and root, after the signature of the log and those of the cosigners. */
  checkpoint(log: Ed25519Key, cosigners: readonly Ed25519Key[]): { origin: string; size: number; root: Buffer; times: number[] } {
    const { text, signatures } = readNote(readFileSync(join(this.#dir, 'checkpoint')))
    const own = signatures.find((s) => s.name === log.name && s.id === keyId(log.name, 1, log.publicKey))
    if (own === undefined || !verify(null, Buffer.from(text), ed25519(log.publicKey), own.bytes)) throw new Error('not signed by the log')
    const times = cosigners.map(({ name, publicKey }) => {
      const found = signatures.find((s) => s.name === name && s.id === keyId(name, 4, publicKey))
      if (found?.bytes.length !== 72) throw new Error(`no cosignature of ${name}`)
      const time = found.bytes.readBigUInt64BE(0)
      const message = `cosignature/v1\ntime ${time}\n${text}`
      if (!verify(null, Buffer.from(message), ed25519(publicKey), found.bytes.subarray(8)))
        throw new Error(`a wrong cosignature of ${name}`)
      return Number(time)
    })
    const [origin = '', size = '', root = ''] = text.split('\n')
    return { origin, size: Number(size), root: Buffer.from(root, 'base64'), times }
  }

  /** Every entry of a tree of that size, from the bundles, each as its level-0 tile has it. */
  entries(size: number): Buffer[] {
    const entries: Buffer[] = []
    for (let n = 0; n * 256 < size; n++) {
      const width = Math.min(256, size - n * 256)
      const bundle = this.#resource('entries', n, width)
      const tile = this.#resource('0', n, width)
      if (tile.length !== width * 32) throw new Error('a tile of a wrong length')
      for (let i = 0, at = 0; i < width; i++) {
        const length = bundle.readUInt16BE(at)
        const entry = bundle.subarray(at + 2, at + 2 + length)
        if (!sha256(Buffer.of(0), entry).equals(tile.subarray(32 * i, 32 * i + 32)))
          throw new Error(`entry ${n * 256 + i} is not in its tile`)
        entries.push(entry)
        at += 2 + length
        if (i === width - 1 && at !== bundle.length) throw new Error('a bundle goes on')
      }
    }
    return entries
  }

  /** The hashes of a level, and that each above level 0 is the root of a full tile below. */
  checkLevels(size: number): number {
    let levels = 0
    for (let level = 1, below = size; Math.floor(below / 256) > 0; level++) {
      const count = Math.floor(below / 256)
      for (let n = 0; n * 256 < count; n++) {
        const width = Math.min(256, count - n * 256)
        const tile = this.#resource(String(level), n, width)
        if (tile.length !== width * 32) throw new Error('a tile of a wrong length')
        for (let i = 0; i < width; i++) {
          const full = this.#resource(String(level - 1), n * 256 + i, 256)
          if (!merkle(full).equals(tile.subarray(32 * i, 32 * i + 32))) throw new Error(`tile ${level}/${n} is not of the level below`)
        }
      }
      below = count
      levels = level
    }
    return levels
  }

  #resource(level: string, n: number, width: number): Buffer {
    const path = join(this.#dir, 'tile', level, encodeIndex(n))
    const file = width === 256 ? path : `${path}.p/${width}`
    return readFileSync(existsSync(file) ? file : path)
  }
}

/** Root over the 256 hashes of a full tile. */
function merkle(hashes: Buffer): Buffer {
  if (hashes.length === 32) return hashes
  const half = hashes.length / 2
  return sha256(Buffer.of(1), merkle(hashes.subarray(0, half)), merkle(hashes.subarray(half)))
}
