import { access, constants, lstat, open, readFile, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { STORE_KEY_FILE } from '../../sealed-files.ts'
import type { NodeSettings } from '../../settings.ts'
import type { DiskFacts, StoreFacts } from '../disk-check.ts'
import type { FileFacts, FileRule } from '../file-check.ts'
import { type Known, known, unknown } from '../finding.ts'

/** By their magic numbers, as `man 2 statfs` lists them. */
const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  16914836: 'tmpfs',
  2240043254: 'ramfs',
  26985: 'nfs',
  4283649346: 'cifs',
  4266872130: 'smb2',
  1702057286: 'fuse',
  16914839: '9p',
  12805120: 'ceph',
  1397113167: 'afs',
  61267: 'ext4',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  2035054128: 'overlay',
}

export async function fileFacts(path: string): Promise<FileFacts | undefined> {
  try {
    const { mode, uid } = await stat(path)
    return { path, mode: mode & 0o7777, uid }
  } catch {
    // Not there, or in a directory that we may not look into: either way there is nothing to say of it.
    return undefined
  }
}

export async function socketFacts(path: string): Promise<FileFacts | undefined> {
  const there = await lstat(path).catch(() => undefined)
  return there?.isSocket() === true ? { path, mode: there.mode & 0o7777, uid: there.uid } : undefined
}

export async function exists(path: string): Promise<boolean> {
  return (await fileFacts(path)) !== undefined
}

/** @returns its text; undefined when it cannot be read. */
export async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined)
}

async function fsyncError(path: string): Promise<string | undefined> {
  try {
    const file = await open(path, 'r')
    try {
      await file.sync()
      return undefined
    } finally {
      await file.close()
    }
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown'
  }
}

/** @param probe - a file that is there, on the disk of `path`. */
export async function gatherDisk(path: string, probe: string): Promise<Known<DiskFacts>> {
  try {
    const { bavail, bsize, ffree, files, type } = await statfs(path)
    const isWritable = await access(path, constants.W_OK).then(
      () => true,
      () => false,
    )
    return known({
      path,
      freeBytes: bavail * bsize,
      freeInodes: files === 0 ? undefined : ffree,
      fileSystem: FILE_SYSTEMS[type >>> 0],
      isWritable,
      fsyncError: await fsyncError(probe),
    })
  } catch (error) {
    return unknown(`${path} cannot be looked at (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`)
  }
}

/** The files of a node, and who may touch them. In a directory that is closed to others, modes of single files mean nothing. */
export async function gatherStore(dir: string, settingsFile: string, settings: NodeSettings): Promise<Known<StoreFacts>> {
  const own = await fileFacts(dir)
  if (own === undefined) return unknown(`${dir} cannot be looked at`)
  const keyFile = join(dirname(settings.storePath), STORE_KEY_FILE)
  const inside: [string, FileRule][] = [
    [settingsFile, { isPrivate: false, what: 'the settings' }],
    [settings.lockFile, { isPrivate: false, what: 'the cluster lock' }],
    [settings.policyFile, { isPrivate: false, what: 'the policy' }],
    [keyFile, { isPrivate: false, what: 'the key of the store' }],
    [settings.storePath, { isPrivate: true, what: 'the store' }],
    ...settings.hsms.flatMap(({ env }): [string, FileRule][] =>
      env?.SOFTHSM2_CONF === undefined
        ? []
        : [
            [env.SOFTHSM2_CONF, { isPrivate: false, what: 'the configuration of SoftHSM' }],
            [dirname(env.SOFTHSM2_CONF), { isPrivate: true, what: 'the tokens of SoftHSM' }],
          ],
    ),
  ]
  const isOpen = (own.mode & 0o077) !== 0
  const wanted = inside.filter(([path]) => isOpen || !path.startsWith(`${dir}/`))
  const files = await Promise.all(wanted.map(async ([path, rule]) => ({ facts: await fileFacts(path), rule })))
  return known({
    storePath: settings.storePath,
    storeThere: await exists(join(settings.storePath, 'CURRENT')),
    keyFile,
    keyThere: await exists(keyFile),
    ownerUid: own.uid,
    files: [
      { ...own, isPrivate: false, what: "the node's directory" },
      ...files.flatMap(({ facts, rule }) => (facts === undefined ? [] : [{ ...facts, ...rule }])),
    ],
  })
}
