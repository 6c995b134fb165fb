import { GENERATED, isNode, type Source, textOf, walk } from './source.ts'
import { type Finding, lineCount, type Tree } from './tree.ts'

const FILE_LINES_MAX = 300
const FUNCTION_LINES_MAX = 70
const CODE = /(\.(ts|mjs|cjs|js|sh|proto)|^scripts\/[a-z]+)$/
const FUNCTIONS = new Set([
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'ObjectMethod',
  'ClassMethod',
  'ClassPrivateMethod',
])

/** Files that are allowed to be longer, each with the reason; one that is no longer long must leave the list. */
export const LONG_FILES: Readonly<Record<string, string>> = {}

/** One word per idea (docs/glossary.md): these are not the words of this project. */
const BANNED_WORDS = new Set(['player', 'participant', 'manager', 'helper'])
const BANNED_FILES = new Set(['utils.ts', 'util.ts', 'common.ts', 'types.ts', 'misc.ts'])
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*$/

/** No file above 300 lines without a reason, no function above 70 outside of tests. */
export function checkLengths(tree: Tree, sources: readonly Source[], exceptions = LONG_FILES): readonly Finding[] {
  const findings: Finding[] = []
  for (const [file, text] of tree) {
    if (!CODE.test(file) || GENERATED.some((path) => file.startsWith(path))) continue
    const lines = lineCount(text)
    if (lines > FILE_LINES_MAX && !(file in exceptions)) {
      findings.push({ file, line: FILE_LINES_MAX + 1, rule: 'length', message: `${lines} lines, at most ${FILE_LINES_MAX}` })
    }
  }
  for (const file of Object.keys(exceptions)) {
    if (lineCount(tree.get(file) ?? '') <= FILE_LINES_MAX)
      findings.push({ file, line: 1, rule: 'length', message: 'is not long, take it off the list of exceptions' })
  }
  for (const source of sources) if (!source.isTest) findings.push(...checkFunctions(source))
  return findings
}

function checkFunctions({ path, program }: Source): readonly Finding[] {
  const findings: Finding[] = []
  walk(program, (node) => {
    const lines = node.loc.end.line - node.loc.start.line + 1
    if (!FUNCTIONS.has(node.type) || lines <= FUNCTION_LINES_MAX) return
    findings.push({
      file: path,
      line: node.loc.start.line,
      rule: 'length',
      message: `a function of ${lines} lines, at most ${FUNCTION_LINES_MAX}`,
    })
  })
  return findings
}

/** `SessionManager` and `session-manager` have the words session and manager; a plural counts. */
function bannedWord(name: string): string | undefined {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
  return words.find((word) => BANNED_WORDS.has(word.replace(/s$/, '')))
}

/** Names that a file exports, with their lines. */
function exportedNames({ program }: Source): readonly { name: string; line: number }[] {
  const names: { name: string; line: number }[] = []
  const add = (node: unknown) => {
    const name = textOf(node)
    if (isNode(node) && name !== undefined) names.push({ name, line: node.loc.start.line })
  }
  walk(program, (node) => {
    if (node.type === 'ExportSpecifier') add(node.exported)
    if (node.type !== 'ExportNamedDeclaration' || !isNode(node.declaration)) return
    add(node.declaration.id)
    for (const declarator of (node.declaration.declarations as { id: unknown }[] | undefined) ?? []) add(declarator.id)
  })
  return names
}

/** File names and exported names keep to the glossary and to kebab case. */
export function checkNames(sources: readonly Source[]): readonly Finding[] {
  const findings: Finding[] = []
  for (const source of sources) {
    const report = (line: number, message: string) => findings.push({ file: source.path, line, rule: 'name', message })
    const segments = source.path.split('/')
    const base = segments.at(-1) as string
    const stems = [...segments.slice(0, -1), base.replace(/(\.(test|fixture|bench|d))?\.ts$/, '')]
    if (BANNED_FILES.has(base)) report(1, `${base} says nothing: name the file for what is in it`)
    for (const stem of stems) {
      const word = bannedWord(stem)
      if (!KEBAB.test(stem)) report(1, `"${stem}" is not kebab-case`)
      if (word !== undefined) report(1, `"${word}" is not a word of docs/glossary.md`)
    }
    for (const { name, line } of exportedNames(source)) {
      const word = bannedWord(name)
      if (word !== undefined) report(line, `export "${name}": "${word}" is not a word of docs/glossary.md`)
    }
  }
  return findings
}
