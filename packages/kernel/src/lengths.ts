export const SCALAR_BYTES = 32
export const ROW_BYTES = 16

/** What is handed to compiled code must be as long as it reads. @throws {RangeError} */
export function requireLengths(fine: boolean, what: string): void {
  if (!fine) throw new RangeError(`${what}: lengths do not fit`)
}

/** The number of pieces of `size` bytes. @throws {RangeError} when bytes are left over. */
export function countOf(bytes: Uint8Array, size: number, what: string): number {
  requireLengths(size > 0 && bytes.length % size === 0, what)
  return bytes.length / size
}

/** The compiled code works on groups: the next multiple of `group`. */
export const roundUp = (count: number, group: number): number => Math.ceil(count / group) * group
