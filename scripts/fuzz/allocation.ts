type Sized = (size: number, ...rest: unknown[]) => unknown

/**
 * The most bytes that `act` asks for in one buffer, and what it throws.
 *
 * It counts what is asked for, not what the process uses: memory that nobody touches is no memory yet, and the collector has a will
 * of its own.
 */
export function measured(act: () => unknown): { readonly largest: number; readonly thrown: unknown } {
  const real = { array: globalThis.Uint8Array, alloc: Buffer.alloc, unsafe: Buffer.allocUnsafe }
  let largest = 0
  const note = (size: unknown) => {
    if (typeof size === 'number') largest = Math.max(largest, size)
  }
  const counted = (make: Sized): Sized => {
    return (size, ...rest) => {
      note(size)
      return make.call(Buffer, size, ...rest)
    }
  }
  globalThis.Uint8Array = new Proxy(real.array, {
    construct(target, args: unknown[], newTarget) {
      note(args[0])
      return Reflect.construct(target, args, newTarget) as object
    },
  })
  Buffer.alloc = counted(real.alloc as Sized) as typeof Buffer.alloc
  Buffer.allocUnsafe = counted(real.unsafe as Sized) as typeof Buffer.allocUnsafe
  try {
    act()
    return { largest, thrown: undefined }
  } catch (thrown) {
    return { largest, thrown }
  } finally {
    globalThis.Uint8Array = real.array
    Buffer.alloc = real.alloc
    Buffer.allocUnsafe = real.unsafe
  }
}
