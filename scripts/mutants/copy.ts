// A copy of the tree in which a file may be broken without anybody noticing. Libraries are shared, our packages are the copy's own.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

const SKIPPED: ReadonlySet<string> = new Set(['node_modules', 'dist', '.git', '.demo', 'coverage'])
const OURS = '@conclave'

/** Copies the repository at `root` into a new temporary directory. @returns its path. */
export function copyTree(root: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'conclave-mutants-'))
  for (const name of readdirSync(root)) {
    if (SKIPPED.has(name)) continue
    cpSync(join(root, name), join(copy, name), { recursive: true, filter: (from) => !SKIPPED.has(basename(from)) })
  }
  const libraries = join(root, 'node_modules')
  mkdirSync(join(copy, 'node_modules', OURS), { recursive: true })
  for (const name of readdirSync(libraries)) {
    if (name !== OURS && name !== '.cache') symlinkSync(join(libraries, name), join(copy, 'node_modules', name))
  }
  for (const name of readdirSync(join(copy, 'packages'))) symlinkSync(join(copy, 'packages', name), join(copy, 'node_modules', OURS, name))
  return copy
}
