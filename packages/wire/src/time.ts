/** A time on the wire: milliseconds since 1970 in 64 bits, big-endian. */
export function timeBytes(ms: number): Uint8Array {
  const out = new Uint8Array(8)
  new DataView(out.buffer).setBigUint64(0, BigInt(ms))
  return out
}

/** Above 2^53 it is not exact, and not a safe integer. */
export function msOf(time: Uint8Array): number {
  return Number(new DataView(time.buffer, time.byteOffset, 8).getBigUint64(0))
}
