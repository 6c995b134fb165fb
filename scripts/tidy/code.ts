import { isNode, type Source, type SyntaxNode, textOf, walk } from './source.ts'
import type { Finding } from './tree.ts'

/** Globals that would let a protocol see the clock, chance, the process or the event loop. */
const IMPURE = new Set(
  'Promise PromiseLike AsyncGenerator AsyncIterable AsyncIterator Date process console performance crypto fetch globalThis require setTimeout setInterval setImmediate queueMicrotask Worker'.split(
    ' ',
  ),
)
const CONSOLE_ALLOWED = /^(scripts\/|packages\/cli\/src\/output\.ts$)/
const ONLY_OF = new Set(['it', 'describe', 'context', 'specify', 'suite', 'test'])

/** Whether an identifier names a variable or a type, rather than a property, a key or a label. */
function isReference(node: SyntaxNode, parent: SyntaxNode | undefined, field: string): boolean {
  if (node.type !== 'Identifier') return false
  if (parent === undefined || parent.computed === true || parent.shorthand === true) return true
  const isMember = parent.type === 'MemberExpression' || parent.type === 'OptionalMemberExpression'
  if (isMember) return field !== 'property'
  if (parent.type === 'TSQualifiedName') return field !== 'right'
  return !(field === 'key' || field === 'imported' || field === 'exported' || field === 'label')
}

function memberOf(node: SyntaxNode, object: string): string | undefined {
  return node.type === 'MemberExpression' && textOf(node.object) === object ? textOf(node.property) : undefined
}

function impurity(node: SyntaxNode, parent: SyntaxNode | undefined, field: string): string | undefined {
  if (node.async === true) return 'async'
  if (node.type === 'AwaitExpression' || node.await === true || node.kind === 'await using') return 'await'
  if (memberOf(node, 'Math') === 'random') return 'Math.random'
  if (isReference(node, parent, field) && IMPURE.has(node.name as string)) return node.name as string
  return undefined
}

/** packages/mpc is a pure function of its inputs: no I/O, no clock, no chance, nothing asynchronous. */
export function checkPurity(sources: readonly Source[]): readonly Finding[] {
  const findings: Finding[] = []
  for (const source of sources) {
    if (source.package !== 'mpc' || source.isTest) continue
    const report = (line: number, what: string) =>
      findings.push({ file: source.path, line, rule: 'purity', message: `${what} is banned in mpc` })
    for (const { specifier, line } of source.imports) if (specifier.startsWith('node:')) report(line, specifier)
    walk(source.program, (node, parent, field) => {
      const what = impurity(node, parent, field)
      if (what !== undefined) report(node.loc.start.line, what)
    })
  }
  return findings
}

function bannedForm(node: SyntaxNode, source: Source): string | undefined {
  switch (node.type) {
    case 'ExportDefaultDeclaration':
    case 'TSExportAssignment':
      return 'a default export'
    case 'TSEnumDeclaration':
      return 'an enum'
    case 'TSModuleDeclaration':
      return node.global === true || node.kind === 'global' || (isNode(node.id) && node.id.type === 'StringLiteral')
        ? undefined
        : 'a namespace'
    case 'TSAnyKeyword':
      return 'any'
    case 'MemberExpression':
      if (textOf(node.object) === 'console' && !CONSOLE_ALLOWED.test(source.path)) return 'console'
      if (ONLY_OF.has(textOf(node.object) ?? '') && textOf(node.property) === 'only') return '.only('
      return undefined
    case 'ExportSpecifier':
      return textOf(node.exported) === 'default' ? 'a default export' : undefined
    default:
      return undefined
  }
}

/** Forms that the style bans everywhere. */
export function checkForms(sources: readonly Source[]): readonly Finding[] {
  const findings: Finding[] = []
  for (const source of sources) {
    walk(source.program, (node) => {
      const what = bannedForm(node, source)
      if (what !== undefined)
        findings.push({ file: source.path, line: node.loc.start.line, rule: 'form', message: `${what} is not used here` })
    })
  }
  return findings
}
