import { open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { equalBytes } from '@conclave/core'
import type { RecordShelf, SealContext } from '@conclave/vault'
import { StoreError } from './store.ts'

/** A file, or undefined when there is none. @throws {StoreError} STORE_IO. */
export async function readOptionalFile(file: string): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await readFile(file))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new StoreError('STORE_IO', `cannot read ${file}`, { cause })
  }
}

async function read(file: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(file))
  } catch (cause) {
    throw new StoreError('STORE_IO', `cannot read ${file}`, { cause })
  }
}

/** The old content or the new one, whenever the machine stops. @throws {StoreError} STORE_IO. */
export async function writeDurably(file: string, content: Uint8Array): Promise<void> {
  const next = `${file}.next`
  try {
    const handle = await open(next, 'w', 0o600)
    try {
      await handle.writeFile(content)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(next, file)
    const directory = await open(dirname(file), 'r')
    try {
      await directory.sync()
    } finally {
      await directory.close()
    }
  } catch (cause) {
    throw new StoreError('STORE_IO', `cannot write ${file}`, { cause })
  }
}

/** A file that is one sealed record. @throws {StoreError} STORE_IO from what it returns. */
export function sealedFile(name: string, file: string, context: SealContext): RecordShelf {
  return {
    async settled() {
      // Such a file is sealed once, before its node runs.
    },
    async records() {
      const record = await read(file)
      const replace = async (rewrapped: Uint8Array) => {
        if (!equalBytes(await read(file), record)) return false
        await writeDurably(file, rewrapped)
        return true
      }
      return [{ name, context, record, replace }]
    },
  }
}
