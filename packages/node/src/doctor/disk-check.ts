import { type FileFacts, type FileRule, fileFindings } from './file-check.ts'
import { type CheckResult, check, type Finding, finding, type Known, known } from './finding.ts'

const MIB = 1024 * 1024
const FULL_BYTES = 100 * MIB
const LOW_BYTES = 1024 * MIB
const INODES_LOW = 1_000

/** What keeps nothing over a restart. */
const MEMORY_FS = new Set(['tmpfs', 'ramfs'])
/** Where a lock, an fsync or a rename may not mean what LevelDB needs. */
const NETWORK_FS = new Set(['nfs', 'cifs', 'smb2', 'fuse', '9p', 'ceph', 'afs'])

export interface DiskFacts {
  /** Of the store, or of the node's directory while there is no store. */
  readonly path: string
  readonly freeBytes: number
  /** Undefined on file systems that do not count them. */
  readonly freeInodes: number | undefined
  /** By its name in `mount`; undefined when its number is not known to us. */
  readonly fileSystem: string | undefined
  readonly isWritable: boolean
  /** What fsync of a file that is there said; undefined when it worked. */
  readonly fsyncError: string | undefined
}

export interface StoreFacts {
  readonly storePath: string
  readonly storeThere: boolean
  readonly keyFile: string
  readonly keyThere: boolean
  readonly ownerUid: number
  readonly files: readonly (FileFacts & FileRule)[]
}

function diskFindings({ path, freeBytes, freeInodes, fileSystem, isWritable, fsyncError }: DiskFacts): readonly (Finding | undefined)[] {
  const free = `${Math.floor(freeBytes / MIB)} MiB are free`
  const make = `make room on the disk of ${path} (df -h ${path})`
  const elsewhere = 'store.path in node.yaml on a local disk, moved there while the node is stopped'
  const none = freeInodes !== undefined && freeInodes < INODES_LOW
  return [
    freeBytes < FULL_BYTES ? finding('DISK_FULL', path, `${free}: the node stops when it cannot write`, make) : undefined,
    freeBytes >= FULL_BYTES && freeBytes < LOW_BYTES ? finding('DISK_LOW', path, free, make) : undefined,
    none ? finding('DISK_LOW', path, `${freeInodes} inodes are free`, `remove files from the disk of ${path} (df -i ${path})`) : undefined,
    isWritable
      ? undefined
      : finding(
          'DISK_READ_ONLY',
          path,
          'the node cannot write there',
          `mount it for writing (mount -o remount,rw), and look at dmesg; or give ${path} to the node's user`,
        ),
    fsyncError === undefined
      ? undefined
      : finding('FSYNC_FAILS', path, `fsync fails (${fsyncError}): what the node has promised may not survive a power cut`, elsewhere),
    fileSystem !== undefined && MEMORY_FS.has(fileSystem)
      ? finding('STORE_ON_TMPFS', path, `the store lies on ${fileSystem}: shares are gone after a restart of the machine`, elsewhere)
      : undefined,
    fileSystem !== undefined && NETWORK_FS.has(fileSystem)
      ? finding('STORE_ON_NETWORK', path, `the store lies on ${fileSystem}, where two machines may open it`, elsewhere)
      : undefined,
  ]
}

function storeFindings({ storePath, storeThere, keyFile, keyThere }: StoreFacts): readonly (Finding | undefined)[] {
  const back = 'find the files; a store is never made anew. If they are gone: docs/operations.md, "Recover a node"'
  return [
    storeThere ? undefined : finding('STORE_MISSING', storePath, 'the store is not there, or is not one', back),
    keyThere ? undefined : finding('STORE_MISSING', keyFile, 'the key of the store is not there', back),
  ]
}

/** Space, file system, and who may touch the node's files. */
export function checkDisk(disk: Known<DiskFacts>, store: Known<StoreFacts>): readonly CheckResult[] {
  return [
    check('disk', disk, diskFindings),
    check('store', store, storeFindings),
    check('files', store.known ? known(store.value) : store, ({ files, ownerUid }) => files.flatMap((f) => fileFindings(f, f, ownerUid))),
  ]
}
