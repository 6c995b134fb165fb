import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { isNode, parseSource, type SyntaxNode, textOf, walk } from './tidy/source.ts'

const ROOT = join(import.meta.dirname, '..')
const TABLE = 'docs/spec/attacks.md'

interface Named {
  readonly file: string
  readonly title: string
}
interface Attack {
  readonly name: string
  readonly tests: readonly Named[]
}

/** Rows of the table: name, what stops it, and tests as `file`: "title"; a test without a file is in that of the one before. */
function attacksOf(markdown: string): readonly Attack[] {
  const rows = markdown
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(1)
  return rows.map((row) => {
    const [name = '', , cell = ''] = row.slice(2, -2).split(' | ')
    let file = ''
    const tests = cell.split('<br>').map((item) => {
      const [, path, title] = /^(?:`([^`]+)`: )?"(.+)"$/.exec(item) ?? []
      file = path ?? file
      return { file, title: title ?? item }
    })
    return { name, tests }
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

describe('attacks', () => {
  const attacks = attacksOf(readFileSync(join(ROOT, TABLE), 'utf8'))

  it('attacks: every test that the table names exists', () => {
    const titles = new Map<string, ReadonlySet<string>>()
    const missing = attacks.flatMap(({ name, tests }) =>
      tests
        .filter(({ file, title }) => {
          const known = titles.get(file) ?? titlesIn(file)
          titles.set(file, known)
          return !known.has(title)
        })
        .map(({ file, title }) => `${name}: ${file} has no "${title}"`),
    )
    expect(missing).to.deep.equal([])
  })

  it('attacks: each has a name of its own and a test that begins with it', () => {
    expect(new Set(attacks.map((a) => a.name)).size).to.equal(attacks.length)
    expect(attacks.filter(({ name, tests }) => !tests.some((t) => t.title.startsWith(`${name}:`))).map((a) => a.name)).to.deep.equal([])
  })

  it('attacks: a row is read as it is written', () => {
    const row = '| attack | by | tests |\n|---|---|---|\n| a b | 1.1; `T` | `x.ts`: "a b: one (2.1)"<br>"two, *"<br>`y.ts`: "three" |\n'
    const tests = [
      { file: 'x.ts', title: 'a b: one (2.1)' },
      { file: 'x.ts', title: 'two, *' },
      { file: 'y.ts', title: 'three' },
    ]
    expect(attacksOf(row)).to.deep.equal([{ name: 'a b', tests }])
  })
})
