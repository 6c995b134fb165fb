import { parse } from '@babel/parser'
import type { Finding, Tree } from './tree.ts'

/** A node of the syntax tree, as the rules see it: a type, a place and fields. */
export interface SyntaxNode {
  readonly type: string
  readonly loc: { readonly start: { readonly line: number }; readonly end: { readonly line: number } }
  readonly [field: string]: unknown
}

export interface Import {
  readonly specifier: string
  readonly line: number
}

export interface Source {
  readonly path: string
  /** Directory below packages/, or undefined outside of it. */
  readonly package: string | undefined
  /** A test, or what runs inside tests only: a fixture, an exported conformance suite. */
  readonly isTest: boolean
  readonly program: SyntaxNode
  /** Static, re-exporting, dynamic, type-only and `require`d, in order. */
  readonly imports: readonly Import[]
  /** Every string in the file, imports included. */
  readonly strings: ReadonlySet<string>
}

export const GENERATED: readonly string[] = ['packages/wire/src/generated/', 'packages/client/src/generated/']
const TEST = /(\.(test|fixture)\.ts|(^|[/-])conformance\.ts)$/
const FIELDS_SKIPPED = new Set(['type', 'loc', 'start', 'end', 'extra', 'errors', 'comments', 'leadingComments', 'trailingComments'])

export function isTestPath(path: string): boolean {
  return path.startsWith('test/') || TEST.test(path)
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && 'loc' in value
}

/** Visits `node` and all below it, parents first; `field` is where the parent holds it. */
export function walk(node: SyntaxNode, visit: (node: SyntaxNode, parent: SyntaxNode | undefined, field: string) => void): void {
  const descend = (at: SyntaxNode, parent: SyntaxNode | undefined, field: string) => {
    visit(at, parent, field)
    for (const [name, value] of Object.entries(at)) {
      if (FIELDS_SKIPPED.has(name)) continue
      for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) descend(child, at, name)
    }
  }
  descend(node, undefined, '')
}

/** `name` of an identifier or `value` of a string, else undefined. */
export function textOf(node: unknown): string | undefined {
  if (!isNode(node)) return undefined
  if (node.type === 'Identifier') return node.name as string
  if (node.type === 'StringLiteral') return node.value as string
  if (node.type === 'TSLiteralType') return textOf(node.literal)
  if (node.type === 'TemplateElement') return (node.value as { cooked?: string }).cooked
  return undefined
}

/** Whether a call loads or resolves a module: `import()`, `require()`, `require.resolve()`, `import.meta.resolve()`. */
function isModuleCall(node: SyntaxNode): boolean {
  if (node.type !== 'CallExpression' || !isNode(node.callee)) return false
  const callee = node.callee
  if (callee.type === 'Import' || textOf(callee) === 'require') return true
  return (
    callee.type === 'MemberExpression' &&
    textOf(callee.property) === 'resolve' &&
    isNode(callee.object) &&
    (callee.object.type === 'MetaProperty' || textOf(callee.object) === 'require')
  )
}

function specifierOf(node: SyntaxNode): string | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ExportNamedDeclaration':
    case 'ImportExpression':
      return textOf(node.source)
    case 'TSImportType':
      return textOf(node.argument)
    case 'TSExternalModuleReference':
      return textOf(node.expression)
    default:
      return isModuleCall(node) ? textOf((node.arguments as readonly unknown[])[0]) : undefined
  }
}

/** @throws {SyntaxError} when the text is not TypeScript. */
export function parseSource(path: string, text: string): Source {
  const program = parse(text, {
    sourceType: 'module',
    attachComment: false,
    plugins: [['typescript', { dts: path.endsWith('.d.ts') }], 'explicitResourceManagement'],
  }).program as unknown as SyntaxNode
  const imports: Import[] = []
  const strings = new Set<string>()
  walk(program, (node) => {
    const text = node.type === 'StringLiteral' || node.type === 'TemplateElement' ? textOf(node) : undefined
    if (text !== undefined) strings.add(text)
    const specifier = specifierOf(node)
    if (specifier !== undefined) imports.push({ specifier, line: node.loc.start.line })
  })
  return { path, package: /^packages\/([^/]+)\//.exec(path)?.[1], isTest: isTestPath(path), program, imports, strings }
}

/** All TypeScript that people write; what does not parse is a finding of its own. */
export function parseTree(tree: Tree): { sources: readonly Source[]; findings: readonly Finding[] } {
  const sources: Source[] = []
  const findings: Finding[] = []
  for (const [path, text] of tree) {
    if (!path.endsWith('.ts') || GENERATED.some((each) => path.startsWith(each))) continue
    try {
      sources.push(parseSource(path, text))
    } catch (error) {
      const line = (error as { loc?: { line: number } }).loc?.line ?? 1
      findings.push({ file: path, line, rule: 'syntax', message: String(error) })
    }
  }
  return { sources, findings }
}
