// Tables in documents whose last column names tests: read, and held against the sources.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isNode, parseSource, type SyntaxNode, textOf, walk } from './tidy/source.ts'

const ROOT = join(import.meta.dirname, '..')

export interface NamedTest {
  readonly file: string
  readonly title: string
}

export interface TableRow {
  readonly name: string
  /** The columns between the name and the tests. */
  readonly cells: readonly string[]
  readonly tests: readonly NamedTest[]
}

/** Rows of the first table: name, cells, and tests as `file`: "title"; a test without a file is in that of the one before. */
export function rowsOf(markdown: string): readonly TableRow[] {
  const rows = markdown
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(1)
  return rows.map((row) => {
    const [name = '', ...cells] = row.slice(2, -2).split(' | ')
    let file = ''
    const tests = (cells.pop() ?? '').split('<br>').map((item) => {
      const [, path, title] = /^(?:`([^`]+)`: )?"(.+)"$/.exec(item) ?? []
      file = path ?? file
      return { file, title: title ?? item }
    })
    return { name, cells, tests }
  })
}

/** The title of an `it`, `*` for what is computed; undefined of anything else. */
function titleOf(node: SyntaxNode): string | undefined {
  if (node.type !== 'CallExpression' || textOf(node.callee) !== 'it') return undefined
  const [title] = node.arguments as readonly unknown[]
  if (!isNode(title)) return undefined
  if (title.type !== 'TemplateLiteral') return textOf(title)
  return (title.quasis as readonly unknown[]).map(textOf).join('*')
}

function titlesIn(file: string): ReadonlySet<string> {
  const titles = new Set<string>()
  walk(parseSource(file, readFileSync(join(ROOT, file), 'utf8')).program, (node) => {
    const title = titleOf(node)
    if (title !== undefined) titles.add(title)
  })
  return titles
}

/** The tests that rows name and that do not exist, in words. */
export function missingTests(rows: readonly TableRow[]): readonly string[] {
  const titles = new Map<string, ReadonlySet<string>>()
  return rows.flatMap(({ name, tests }) =>
    tests
      .filter(({ file, title }) => {
        const known = titles.get(file) ?? titlesIn(file)
        titles.set(file, known)
        return !known.has(title)
      })
      .map(({ file, title }) => `${name}: ${file} has no "${title}"`),
  )
}
