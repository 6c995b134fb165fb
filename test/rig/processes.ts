import { readdir, readFile } from 'node:fs/promises'

/** Command line and environment of a process and of all that it has started, as the system shows them. Linux. */
export async function shownBy(pids: Iterable<number>): Promise<readonly string[]> {
  const parents = new Map<number, number>()
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    // A process may end while we look; the fourth field follows a name that may hold anything but ends with ")".
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')
    parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
  }
  const family = new Set(pids)
  for (let grown = true; grown; ) {
    const before = family.size
    for (const [pid, parent] of parents) if (family.has(parent)) family.add(pid)
    grown = family.size > before
  }
  const files = [...family].flatMap((pid) => [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`])
  return Promise.all(files.map((file) => readFile(file, 'latin1')))
}
