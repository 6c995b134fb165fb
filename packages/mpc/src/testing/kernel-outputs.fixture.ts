import { type Kernel, kernel } from '@conclave/kernel'

type Vectors = 'hashRows' | 'foldColumns' | 'sumColumns' | 'addSelected' | 'subSelected' | 'expandSeeds' | 'foldBlocks'

/** Runs `act` and gives the very arrays that the kernel handed out meanwhile, some of them views of its memory, by function, in order. */
export function outputsOf(act: () => unknown): Readonly<Record<Vectors, readonly Uint8Array[]>> {
  const seen: Record<Vectors, Uint8Array[]> = {
    hashRows: [],
    foldColumns: [],
    sumColumns: [],
    addSelected: [],
    subSelected: [],
    expandSeeds: [],
    foldBlocks: [],
  }
  const real = { ...kernel }
  const watch = (name: Vectors) => {
    const call = real[name] as (...args: readonly unknown[]) => Uint8Array
    const watched = (...args: readonly unknown[]) => {
      const out = call(...args)
      seen[name].push(out)
      return out
    }
    Object.assign(kernel, { [name]: watched } as Partial<Kernel>)
  }
  for (const name of Object.keys(seen) as Vectors[]) watch(name)
  try {
    act()
  } finally {
    Object.assign(kernel, real)
  }
  return seen
}

export const isWiped = (bytes: Uint8Array | undefined): boolean => bytes?.every((b) => b === 0) === true
