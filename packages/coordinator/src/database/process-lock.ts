import { DatabaseSync } from 'node:sqlite'
import { StoreError } from './store-error.ts'

/**
 * Holds a file until it is disposed of, or the process ends however it may: the kernel keeps the lock, through the SQLite of Node.
 * PGlite has no lock of its own, and two processes in one directory destroy it.
 *
 * @throws {StoreError} STORE_LOCKED when somebody has it, in this process or another.
 */
export function lockFile(file: string): Disposable {
  const handle = new DatabaseSync(file)
  try {
    handle.exec('pragma locking_mode = exclusive; begin exclusive')
  } catch (cause) {
    handle.close()
    throw new StoreError('STORE_LOCKED', `another process uses the store (${file})`, { cause })
  }
  return { [Symbol.dispose]: () => handle.close() }
}
