import { posix } from 'node:path'
import { type Manifest, type Manifests, packageNameOf, parseManifest, readManifests } from './manifest.ts'
import { type Import, isTestPath, type Source } from './source.ts'
import { type Finding, lineOf, type Tree } from './tree.ts'

const BELOW_NODE = ['core', 'wire', 'kernel', 'mpc', 'vault', 'transport', 'audit', 'policy', 'receipt', 'telemetry']

/** What each package may import of the others: the table of ARCHITECTURE.md. Imports point down only. */
export const LAYERS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  wire: ['core'],
  kernel: ['core'],
  mpc: ['core', 'wire', 'kernel'],
  vault: ['core'],
  transport: ['core', 'wire'],
  audit: ['core'],
  policy: ['core'],
  receipt: ['core', 'audit', 'policy'],
  telemetry: ['core'],
  node: BELOW_NODE,
  coordinator: ['core', 'wire', 'kernel', 'transport', 'audit', 'policy', 'receipt', 'telemetry'],
  client: ['core'],
  cli: ['core', 'audit', 'policy', 'receipt', 'node', 'coordinator', 'client', 'testnet'],
  testnet: [...BELOW_NODE, 'node', 'coordinator', 'client'],
}

/** Libraries that a package restricts itself to; a package that is not listed may use any that it declares. */
const LIBRARIES: Readonly<Record<string, RegExp>> = { mpc: /^@noble\// }

const SCOPE = '@conclave/'
const BENCH = /^scripts\/bench(-[a-z-]+\.ts|\/[a-z-]+\.ts)$/

function conclaveName(specifier: string): string | undefined {
  return specifier.startsWith(SCOPE) ? specifier.slice(SCOPE.length).split('/')[0] : undefined
}

/** Why `source` may not import the package `to`, or undefined when it may. */
function refusal(source: Source, to: string): string | undefined {
  const from = source.package
  if (!(to in LAYERS)) return `@conclave/${to} is not a package of the architecture`
  if (from === to) return undefined
  if (to === 'testnet')
    return source.isTest || from === 'cli' || BENCH.test(source.path) ? undefined : 'only tests, benches and cli import testnet'
  if (from === undefined) return undefined
  return LAYERS[from]?.includes(to) ? undefined : `${from} may not import ${to}`
}

function checkConclaveImport(source: Source, { specifier }: Import, manifests: Manifests): string | undefined {
  const to = conclaveName(specifier) as string
  const subpath = specifier.slice(SCOPE.length + to.length + 1)
  if (subpath !== '' && !manifests.get(to)?.exports.has(`./${subpath}`)) return `@conclave/${to} does not export "${subpath}"`
  if (subpath.endsWith('conformance') && !source.isTest) return 'a conformance suite is for tests'
  return refusal(source, to)
}

function checkRelativeImport(source: Source, { specifier }: Import): string | undefined {
  const target = posix.join(posix.dirname(source.path), specifier)
  const home = source.package === undefined ? `${source.path.split('/')[0]}/` : `packages/${source.package}/`
  if (!target.startsWith(home)) return `a relative import may not leave ${home}; import the package by name`
  if (!source.isTest && isTestPath(target)) return 'only tests import tests'
  return undefined
}

function checkLibraryImport(source: Source, { specifier }: Import, manifests: Manifests, root: Manifest): string | undefined {
  const name = packageNameOf(specifier)
  const own = source.package === undefined ? root : manifests.get(source.package)
  const inRoot = source.package === undefined || source.isTest
  const allowed = source.isTest || source.package === undefined ? undefined : LIBRARIES[source.package]
  if (allowed !== undefined && !allowed.test(name)) return `${source.package} may not import ${name}`
  if (own?.dependencies.has(name)) return undefined
  if (inRoot && (own?.devDependencies.has(name) || root.dependencies.has(name) || root.devDependencies.has(name))) return undefined
  return `${name} is not declared in ${source.package === undefined ? '' : `packages/${source.package}/`}package.json`
}

function checkImport(source: Source, imported: Import, manifests: Manifests, root: Manifest): Omit<Finding, 'file' | 'line'> | undefined {
  const { specifier } = imported
  const found = (rule: string, message: string | undefined) => (message === undefined ? undefined : { rule, message })
  if (specifier.startsWith('node:')) return undefined
  if (specifier.startsWith('.')) return found('deep-import', checkRelativeImport(source, imported))
  if (conclaveName(specifier) !== undefined) return found('layer', checkConclaveImport(source, imported, manifests))
  return found('library', checkLibraryImport(source, imported, manifests, root))
}

/** Imports in the source, one by one. */
function checkSources(sources: readonly Source[], manifests: Manifests, root: Manifest): readonly Finding[] {
  return sources.flatMap((source) =>
    source.imports.flatMap((imported) => {
      const found = checkImport(source, imported, manifests, root)
      return found === undefined ? [] : [{ file: source.path, line: imported.line, ...found }]
    }),
  )
}

/** package.json and tsconfig.json of a package against what its sources import. */
function checkManifest(name: string, manifest: Manifest, sources: readonly Source[], tree: Tree): readonly Finding[] {
  const file = `packages/${name}/package.json`
  const own = sources.filter((s) => s.package === name)
  const imported = new Set(own.flatMap((s) => s.imports.map((i) => packageNameOf(i.specifier))))
  const mentioned = (library: string) =>
    imported.has(library) || own.some((s) => [...s.strings].some((text) => packageNameOf(text) === library))
  const findings: Finding[] = []
  const report = (at: string, text: string, rule: string, message: string) =>
    findings.push({ file: at, line: lineOf(tree.get(at) ?? '', text), rule, message })
  if (!(name in LAYERS)) report(file, '"name"', 'layer', `${name} is not a package of the architecture`)
  for (const dependency of [...manifest.dependencies, ...manifest.devDependencies]) {
    const to = conclaveName(dependency)
    const testsOnly = to === 'testnet' && manifest.devDependencies.has(dependency)
    if (to !== undefined && !testsOnly && !LAYERS[name]?.includes(to))
      report(file, `"${dependency}"`, 'layer', `${name} may not depend on ${to}`)
    else if (!mentioned(dependency)) report(file, `"${dependency}"`, 'library', `${dependency} is declared but nothing imports it`)
  }
  const wanted = new Set([...imported].flatMap((n) => conclaveName(n) ?? []).filter((n) => n !== name))
  for (const to of wanted) {
    if (!manifest.dependencies.has(SCOPE + to) && !manifest.devDependencies.has(SCOPE + to))
      report(file, '"name"', 'library', `${SCOPE}${to} is imported but not declared`)
  }
  const tsconfig = `packages/${name}/tsconfig.json`
  for (const to of wanted)
    if (!manifest.references.has(to)) report(tsconfig, '"references"', 'reference', `${to} is imported but not referenced`)
  for (const to of manifest.references)
    if (!wanted.has(to)) report(tsconfig, `../${to}"`, 'reference', `${to} is referenced but nothing imports it`)
  return findings
}

/** The root tsconfig reaches every package, and test/ references what it imports. */
function checkRootReferences(manifests: Manifests, sources: readonly Source[], tree: Tree): readonly Finding[] {
  const findings: Finding[] = []
  const missing = (file: string, names: Iterable<string>) => {
    const text = tree.get(file) ?? ''
    for (const name of names) {
      if (!text.includes(`packages/${name}"`))
        findings.push({ file, line: lineOf(text, '"references"'), rule: 'reference', message: `${name} is not referenced` })
    }
  }
  missing('tsconfig.json', manifests.keys())
  const tests = sources.filter((s) => s.path.startsWith('test/'))
  missing('test/tsconfig.json', new Set(tests.flatMap((s) => s.imports.flatMap((i) => conclaveName(i.specifier) ?? []))))
  return findings
}

/** The import graph is the one of ARCHITECTURE.md, and package.json and tsconfig.json say the same as the source. */
export function checkLayers(tree: Tree, sources: readonly Source[]): readonly Finding[] {
  const manifests = readManifests(tree)
  const root = parseManifest(tree.get('package.json') ?? '{}', '{}')
  return [
    ...checkSources(sources, manifests, root),
    ...[...manifests].flatMap(([name, manifest]) => checkManifest(name, manifest, sources, tree)),
    ...checkRootReferences(manifests, sources, tree),
  ]
}
