import { type Finding, lineOf, type Tree } from './tree.ts'

// Home and working directories of a build machine, and package hosts. Written so that this file does not match itself.
const MACHINE_PATH = /(?<![\w.$}-])\/(?:work|root)\//
const REGISTRIES = [
  /https?:\/\/[^\s/"']*(?:registry|artifactory|nexus|npmmirror)/,
  /\bregistry\.(?:[a-z0-9-]+\.)+(?:com|org|net|io|dev|cloud|internal|local)\b/,
  /^\s*(?:@[\w-]+:)?registry\s*=|_auth(?:Token)?\s*=/,
  /"resolved": "https?:/,
]

/** A committed file must mean the same on every machine: no path of the one where it was written, no package host. */
export function checkMachine(tree: Tree): readonly Finding[] {
  const findings: Finding[] = []
  for (const [file, text] of tree) {
    text.split('\n').forEach((content, index) => {
      if (MACHINE_PATH.test(content))
        findings.push({ file, line: index + 1, rule: 'machine', message: 'an absolute path of the machine it was written on' })
      if (REGISTRIES.some((host) => host.test(content)))
        findings.push({ file, line: index + 1, rule: 'machine', message: 'a package registry host or its credentials' })
    })
  }
  return findings
}

interface Locked {
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/**
 * The lock file has an entry for every optional dependency, of every platform: `npm ci` refuses one that has not, and npm leaves
 * out those that it could not fetch when it wrote the file.
 */
export function checkLockFile(tree: Tree): readonly Finding[] {
  const file = 'package-lock.json'
  const text = tree.get(file)
  if (text === undefined) return []
  const { packages = {} } = JSON.parse(text) as { packages?: Readonly<Record<string, Locked>> }
  return Object.entries(packages).flatMap(([path, entry]) =>
    Object.keys(entry.optionalDependencies ?? {})
      .filter((name) => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages))
      .map((name) => ({ file, line: lineOf(text, `"${name}"`), rule: 'lock', message: `no entry for ${name}` })),
  )
}
