import { closeSync, openSync, readFileSync, readSync } from 'node:fs'

const CHUNK_BYTES = 4 * 1024 * 1024

/**
 * Whether the writable memory of a process holds `wanted`.
 *
 * @returns undefined when this machine does not let us look.
 */
export function memoryHolds(pid: number, wanted: Buffer): boolean | undefined {
  let fd: number
  try {
    fd = openSync(`/proc/${pid}/mem`, 'r')
  } catch {
    // No permission to trace it; the caller skips by name.
    return undefined
  }
  try {
    const regions = readFileSync(`/proc/${pid}/maps`, 'utf8').matchAll(/^([0-9a-f]+)-([0-9a-f]+) rw/gm)
    return [...regions].some(([, from, to]) => regionHolds(fd, Number.parseInt(from!, 16), Number.parseInt(to!, 16), wanted))
  } finally {
    closeSync(fd)
  }
}

function regionHolds(fd: number, from: number, to: number, wanted: Buffer): boolean {
  const chunk = Buffer.alloc(CHUNK_BYTES)
  // Chunks overlap, so that nothing hides across their border.
  for (let at = from; at < to; at += CHUNK_BYTES - wanted.length) {
    let read: number
    try {
      read = readSync(fd, chunk, 0, Math.min(CHUNK_BYTES, to - at), at)
    } catch {
      // Reserved but not mapped.
      continue
    }
    if (chunk.subarray(0, read).includes(wanted)) return true
  }
  return false
}
