import type { Tree } from './tree.ts'

/** What a package says about itself in package.json and tsconfig.json. */
export interface Manifest {
  /** Peers included: whoever uses the package brings them. */
  readonly dependencies: ReadonlySet<string>
  readonly devDependencies: ReadonlySet<string>
  /** `.`, `./conformance`, ... */
  readonly exports: ReadonlySet<string>
  /** Sibling packages, by directory name. */
  readonly references: ReadonlySet<string>
}

/** By directory name. */
export type Manifests = ReadonlyMap<string, Manifest>

/** @throws {SyntaxError} when one of the two is not JSON. */
export function parseManifest(packageJson: string, tsconfig: string): Manifest {
  const json = JSON.parse(packageJson) as Record<string, Record<string, unknown> | undefined>
  const { references = [] } = JSON.parse(tsconfig) as { references?: readonly { path: string }[] }
  const keys = (name: string) => new Set(Object.keys(json[name] ?? {}))
  return {
    dependencies: new Set([...keys('dependencies'), ...keys('peerDependencies')]),
    devDependencies: keys('devDependencies'),
    exports: keys('exports'),
    references: new Set(references.map((r) => r.path.replace(/^\.\.\//, ''))),
  }
}

export function readManifests(tree: Tree): Manifests {
  const manifests = new Map<string, Manifest>()
  for (const [path, text] of tree) {
    const name = /^packages\/([^/]+)\/package\.json$/.exec(path)?.[1]
    if (name !== undefined) manifests.set(name, parseManifest(text, tree.get(`packages/${name}/tsconfig.json`) ?? '{}'))
  }
  return manifests
}

/** `@a/b/c.js` is of the package `@a/b`; `a/b` of `a`. */
export function packageNameOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}
