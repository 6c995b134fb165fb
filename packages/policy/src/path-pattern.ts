import { type DerivationPath, formatPath, InvalidArgument, parsePathIndex, pathLevels } from '@conclave/core'

/** Stands for one level, whatever its index. */
const ONE = '*'
/** Stands for one level or more; only the last. */
const REST = '**'

/**
 * A pattern of derivation paths: `m` is the root key, `m/0/5` one path, `m/0/*` every child of m/0, `m/0/**` everything below m/0.
 *
 * @returns the text itself: there is one for each pattern.
 * @throws {InvalidArgument} BAD_PATH.
 */
export function parsePathPattern(text: string): string {
  const levels = pathLevels(text)
  for (const [i, level] of levels.entries()) {
    if (level === ONE) continue
    if (level !== REST) parsePathIndex(level)
    else if (i < levels.length - 1) throw new InvalidArgument('BAD_PATH', 'in a path pattern ** is only the last level')
  }
  return text
}

/** Whether a path is one of those that a pattern of `parsePathPattern` stands for. */
export function matchesPath(pattern: string, path: DerivationPath): boolean {
  const wanted = pattern.split('/')
  const levels = formatPath(path).split('/')
  const isOpen = wanted.at(-1) === REST
  if (isOpen ? levels.length < wanted.length : levels.length !== wanted.length) return false
  return wanted.every((level, i) => level === ONE || level === REST || level === levels[i])
}
