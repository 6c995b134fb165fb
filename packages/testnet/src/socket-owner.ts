import { readdir, readFile, readlink } from 'node:fs/promises'

const hexPort = (port: number): string => port.toString(16).toUpperCase().padStart(4, '0')
const LOOPBACK = '0100007F'

/** The inode of the loopback socket that goes from `localPort` to `remotePort`, of a line of /proc/net/tcp; undefined when there is none. */
export function inodeOf(table: string, localPort: number, remotePort: number): string | undefined {
  const ends = `${LOOPBACK}:${hexPort(localPort)} ${LOOPBACK}:${hexPort(remotePort)} `
  const line = table.split('\n').find((l) => l.includes(ends))
  return line?.trim().split(/\s+/)[9]
}

async function holds(pid: number, inode: string): Promise<boolean> {
  const dir = `/proc/${pid}/fd`
  // A process, or one of its files, may be gone by now.
  const files = await readdir(dir).catch(() => [])
  const links = await Promise.all(files.map((file) => readlink(`${dir}/${file}`).catch(() => '')))
  return links.includes(`socket:[${inode}]`)
}

/**
 * Which of these processes holds the other end of a loopback connection. Linux only.
 *
 * @param remotePort - of the connection as the asking side sees it; `localPort` is the asking side's.
 * @returns its name, or undefined when none of them does.
 */
export async function ownerOf(
  { localPort, remotePort }: { readonly localPort: number; readonly remotePort: number },
  processes: ReadonlyMap<string, number>,
): Promise<string | undefined> {
  const inode = inodeOf(await readFile('/proc/net/tcp', 'utf8'), remotePort, localPort)
  if (inode === undefined) return undefined
  const found = await Promise.all([...processes].map(async ([name, pid]) => ((await holds(pid, inode)) ? name : undefined)))
  return found.find((name) => name !== undefined)
}
