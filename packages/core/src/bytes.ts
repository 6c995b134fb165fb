import { InvalidArgument } from './errors.ts'

/** Lower-case hex. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}

/**
 * Strict hex, either case, no prefix.
 *
 * @throws {InvalidArgument} BAD_HEX on anything else, or when `length` (bytes) is given and differs.
 */
export function fromHex(hex: string, length?: number): Uint8Array {
  if (hex.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(hex)) throw new InvalidArgument('BAD_HEX', 'not a hexadecimal string')
  if (length !== undefined && hex.length !== 2 * length) throw new InvalidArgument('BAD_HEX', `expected ${length} bytes of hexadecimal`)
  const out = new Uint8Array(hex.length / 2)
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16)
  return out
}

/** Big-endian 32-bit. @throws {InvalidArgument} BAD_NUMBER unless it fits: a value that wrapped would name something else. */
export function u32(value: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) throw new InvalidArgument('BAD_NUMBER', 'not a 32-bit number', { value })
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0))
  let at = 0
  for (const p of parts) {
    out.set(p, at)
    at += p.length
  }
  return out
}

/** XOR of two strings of one length. */
export function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length !== b.length) throw new InvalidArgument('BAD_LENGTH', 'xor of different lengths')
  return a.map((v, i) => v ^ (b[i] as number))
}

/** Equality whose time depends on the lengths only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let diff = 0
  for (let i = 0; i < a.length; i++) diff |= (a[i] as number) ^ (b[i] as number)
  return diff === 0
}
