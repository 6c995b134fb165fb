import fc from 'fast-check'

/** `fc.assert` from a fixed seed: the same cases in every run. */
export function always<T>(property: fc.IRawProperty<T>, options: fc.Parameters<T> = {}): void {
  fc.assert(property, { seed: 0x636f6e63, ...options })
}
