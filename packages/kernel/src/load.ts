import { readFileSync } from 'node:fs'
import { ConclaveError } from '@conclave/core'
import { Arena } from './arena.ts'

const FILE = new URL('../build/kernel.wasm', import.meta.url)

/** What assembly/index.ts exports, with addresses and lengths as numbers. */
export type Exports<Names extends string = string> = Readonly<Record<Names, (...args: readonly number[]) => number>>

function compile(): WebAssembly.Module {
  try {
    return new WebAssembly.Module(readFileSync(FILE))
  } catch (cause) {
    throw new ConclaveError('KERNEL_MISSING', 'the kernel is not compiled: run ./scripts/setup.sh', { cause })
  }
}

// One instance for each thread, at import: the kernel has no state but memory that each call wipes.
const { exports } = new WebAssembly.Instance(compile(), {})

/** The compiled functions. */
export const wasm = exports as unknown as Exports
/** Their memory. */
export const arena = new Arena(exports.memory as WebAssembly.Memory, (exports as { heapBase(): number }).heapBase())
