import { type Finding, finding } from './finding.ts'

/** What `stat` says of something on the disk. */
export interface FileFacts {
  readonly path: string
  /** Permission bits. */
  readonly mode: number
  readonly uid: number
}

/** Who may do what with a file of the node. */
export interface FileRule {
  /** Whether its content must stay the node's own. */
  readonly isPrivate: boolean
  readonly what: string
}

/** Files of a node that others may change or read, or that belong to somebody else than the directory. */
export function fileFindings(file: FileFacts, { isPrivate, what }: FileRule, ownerUid: number): readonly (Finding | undefined)[] {
  const { path, mode, uid } = file
  const bits = `mode ${mode.toString(8).padStart(4, '0')}`
  const others = (mode & 0o022) !== 0
  const readable = isPrivate && (mode & 0o044) !== 0
  return [
    others ? finding('FILE_WRITABLE', path, `others may change ${what} (${bits})`, `chmod go-w ${path}`) : undefined,
    !others && readable ? finding('FILE_READABLE', path, `others may read ${what} (${bits})`, `chmod go-rwx ${path}`) : undefined,
    uid !== ownerUid && uid !== 0
      ? finding('FILE_OWNER', path, `${what} belongs to user ${uid}, the directory to user ${ownerUid}`, `chown ${ownerUid} ${path}`)
      : undefined,
  ]
}
