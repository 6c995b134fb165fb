// Rules of the repository that a machine can check; scripts/tidy.test.ts runs them as tests. `node scripts/tidy.ts` prints the findings.
import { join } from 'node:path'
import { checkForms, checkPurity } from './tidy/code.ts'
import { checkLayers } from './tidy/layers.ts'
import { checkLockFile, checkMachine } from './tidy/machine.ts'
import { checkLengths, checkNames } from './tidy/shape.ts'
import { parseTree } from './tidy/source.ts'
import { type Finding, readTree, type Tree } from './tidy/tree.ts'

/** Everything that is wrong with a tree, by file and line. */
export function tidy(tree: Tree): readonly Finding[] {
  const { sources, findings } = parseTree(tree)
  return [
    ...findings,
    ...checkLayers(tree, sources),
    ...checkLengths(tree, sources),
    ...checkNames(sources),
    ...checkPurity(sources),
    ...checkForms(sources),
    ...checkMachine(tree),
    ...checkLockFile(tree),
  ].sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1))
}

export function formatFinding({ file, line, rule, message }: Finding): string {
  return `${file}:${line} ${rule} ${message}`
}

export const ROOT = join(import.meta.dirname, '..')

if (import.meta.main) {
  const findings = tidy(readTree(ROOT))
  for (const finding of findings) process.stdout.write(`${formatFinding(finding)}\n`)
  process.exitCode = findings.length > 0 ? 1 : 0
}
