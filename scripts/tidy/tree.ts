import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where a rule is broken, in words for the person who mends it. */
export interface Finding {
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly rule: string
  readonly message: string
}

/** Text files by path from the root, with forward slashes. In memory, so that every rule can be shown a bad tree. */
export type Tree = ReadonlyMap<string, string>

// What .gitignore keeps out, and git itself.
const SKIPPED_DIRS: ReadonlySet<string> = new Set(['.git', '.demo', 'coverage', 'dist', 'node_modules'])
const SKIPPED_FILES = /\.(log|tsbuildinfo)$/

/** Every text file under `root` that is, or could be, committed. */
export function readTree(root: string): Tree {
  const tree = new Map<string, string>()
  const visit = (dir: string) => {
    for (const entry of readdirSync(join(root, dir), { withFileTypes: true })) {
      const path = dir === '' ? entry.name : `${dir}/${entry.name}`
      if (entry.isDirectory() && !SKIPPED_DIRS.has(entry.name)) visit(path)
      if (!entry.isFile() || SKIPPED_FILES.test(entry.name)) continue
      const bytes = readFileSync(join(root, path))
      if (!bytes.includes(0)) tree.set(path, bytes.toString('utf8'))
    }
  }
  visit('')
  return tree
}

/** Line of the first occurrence of `text`, or 1. */
export function lineOf(content: string, text: string): number {
  const at = content.indexOf(text)
  return at < 0 ? 1 : content.slice(0, at).split('\n').length
}

export function lineCount(content: string): number {
  return content.split('\n').length - (content.endsWith('\n') ? 1 : 0)
}
