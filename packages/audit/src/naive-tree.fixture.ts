import { createHash } from 'node:crypto'

const sha = (...parts: readonly Uint8Array[]): Uint8Array => {
  const h = createHash('sha256')
  for (const p of parts) h.update(p)
  return new Uint8Array(h.digest())
}

/** RFC 6962, 2.1, word for word: the recursive definitions, in exponential time. Shares nothing with what it checks. */
export function naiveRoot(d: readonly Uint8Array[]): Uint8Array {
  if (d.length === 0) return sha()
  if (d.length === 1) return sha(Uint8Array.of(0), d[0] as Uint8Array)
  const k = largestPowerBelow(d.length)
  return sha(Uint8Array.of(1), naiveRoot(d.slice(0, k)), naiveRoot(d.slice(k)))
}

export function naivePath(m: number, d: readonly Uint8Array[]): readonly Uint8Array[] {
  if (d.length === 1) return []
  const k = largestPowerBelow(d.length)
  return m < k ? [...naivePath(m, d.slice(0, k)), naiveRoot(d.slice(k))] : [...naivePath(m - k, d.slice(k)), naiveRoot(d.slice(0, k))]
}

export function naiveConsistency(m: number, d: readonly Uint8Array[]): readonly Uint8Array[] {
  const sub = (mm: number, dd: readonly Uint8Array[], b: boolean): readonly Uint8Array[] => {
    if (mm === dd.length) return b ? [] : [naiveRoot(dd)]
    const k = largestPowerBelow(dd.length)
    return mm <= k
      ? [...sub(mm, dd.slice(0, k), b), naiveRoot(dd.slice(k))]
      : [...sub(mm - k, dd.slice(k), false), naiveRoot(dd.slice(0, k))]
  }
  return sub(m, d, true)
}

function largestPowerBelow(n: number): number {
  let k = 1
  while (k < n) k <<= 1
  return k >> 1
}
