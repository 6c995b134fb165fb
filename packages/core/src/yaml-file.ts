import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit, type YAMLMap } from 'yaml'
import type { z } from 'zod'
import { YAML_CHARS_MAX } from './document-limits.ts'
import { ConfigError } from './errors.ts'

type Path = readonly PropertyKey[]

/** Something wrong with a file, at a line (from 1). */
export interface YamlProblem {
  readonly line: number
  readonly message: string
}

interface YamlFile {
  /** Plain data; meaningless when there are problems. */
  readonly value: unknown
  readonly problems: readonly YamlProblem[]
  /** Line of the deepest node of `path` that the file has: for a missing field that is its parent. */
  lineOf(path: Path): number
}

const OPTIONS = {
  version: '1.2',
  schema: 'core',
  strict: true,
  // Checked below: the library compares every key with every other, so a large file would stop the process for minutes.
  uniqueKeys: false,
  stringKeys: true,
  merge: false,
  resolveKnownTags: false,
  prettyErrors: false,
  // Not 'silent': that also makes the library ignore a second document without a word.
  logLevel: 'error',
} as const

function offsetOf(document: Document, path: Path): number {
  let node: unknown = document.contents
  let offset = document.contents?.range?.[0] ?? 0
  for (const step of path) {
    if (isMap<Node>(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === String(step))
      if (pair === undefined) break
      offset = pair.key.range?.[0] ?? offset
      node = pair.value
    } else if (isSeq<Node>(node)) {
      node = node.items[Number(step)]
      offset = (node as Node | undefined)?.range?.[0] ?? offset
    } else break
  }
  return offset
}

/** Whatever makes a file mean something else than it shows: everybody who reads it must see one policy. */
function trickOf(node: Node): string | undefined {
  if (isAlias(node)) return 'YAML aliases (*name) are not allowed: write the value out'
  if (node.anchor !== undefined) return 'YAML anchors (&name) are not allowed: write the value out'
  // The parser gives no tag of its own to a node, so this one was written.
  if (node.tag !== undefined) return 'YAML tags (!name) are not allowed'
  return undefined
}

function duplicatesOf(map: YAMLMap<Node>, lineAt: (offset: number) => number): readonly YamlProblem[] {
  const seen = new Set<unknown>()
  return map.items.flatMap(({ key }) => {
    // A key that is not a scalar is already an error of the parser.
    if (!isScalar(key)) return []
    const twice = seen.has(key.value)
    seen.add(key.value)
    return !twice ? [] : [{ line: lineAt(key.range?.[0] ?? 0), message: `${JSON.stringify(key.value)} is stated twice` }]
  })
}

function problemsOf(document: Document, lineAt: (offset: number) => number): readonly YamlProblem[] {
  const problems = [...document.errors, ...document.warnings].map((e) => ({ line: lineAt(e.pos[0]), message: e.message }))
  const directives = document.directives
  // %YAML 1.1 would bring back merge keys and "no" as false; %TAG renames types.
  if (directives?.yaml.explicit === true || Object.keys(directives?.tags ?? {}).length > 1) {
    problems.push({ line: 1, message: 'YAML directives (%...) are not allowed' })
  }
  visit(document, {
    // Not a visitor of maps beside it: the library would then call only that one for a map.
    Node(_key, node) {
      const message = trickOf(node)
      if (message !== undefined) problems.push({ line: lineAt(node.range?.[0] ?? 0), message })
      if (isMap<Node>(node)) problems.push(...duplicatesOf(node, lineAt))
    },
  })
  return problems
}

/**
 * Reads one YAML 1.2 document without duplicate keys, anchors, aliases, merge keys, tags and directives.
 *
 * @throws whatever the parser throws when it gives up.
 */
function readYaml(text: string): YamlFile {
  const lines = new LineCounter()
  const lineAt = (offset: number) => lines.linePos(offset).line
  const document: Document = parseDocument(text, { ...OPTIONS, lineCounter: lines })
  const problems = problemsOf(document, lineAt)
  return {
    value: problems.length > 0 ? undefined : document.toJS({ maxAliasCount: 0 }),
    problems,
    lineOf: (path) => lineAt(offsetOf(document, path)),
  }
}

const PROBLEMS_MAX = 20

/** What makes a file of one kind valid. */
export interface YamlKind<S extends z.ZodType> {
  /** Name of the file, for messages. */
  readonly file: string
  readonly schema: S
  /** Code of the {@link ConfigError}. */
  readonly code: string
  /** Problems that a schema cannot express. */
  readonly check?: (value: z.output<S>, lineOf: (path: readonly PropertyKey[]) => number) => readonly YamlProblem[]
}

function placeOf(path: Path): string {
  const text = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('')
  return text === '' ? '' : `${text.slice(1)}: `
}

function schemaProblems(file: YamlFile, error: z.ZodError): readonly YamlProblem[] {
  return error.issues.slice(0, PROBLEMS_MAX).flatMap((issue): readonly YamlProblem[] => {
    const place = placeOf(issue.path)
    if (issue.code !== 'unrecognized_keys') return [{ line: file.lineOf(issue.path), message: place + issue.message }]
    return issue.keys
      .slice(0, PROBLEMS_MAX)
      .map((key) => ({ line: file.lineOf([...issue.path, key]), message: `${place}unknown field ${JSON.stringify(key)}` }))
  })
}

function read<S extends z.ZodType>(
  text: string,
  kind: YamlKind<S>,
): { value: z.output<S> } | { problems: readonly YamlProblem[]; cause?: unknown } {
  if (text.length > YAML_CHARS_MAX) return { problems: [{ line: 1, message: `longer than ${YAML_CHARS_MAX} characters` }] }
  let file: YamlFile
  try {
    file = readYaml(text)
  } catch (cause) {
    return { problems: [{ line: 1, message: 'not readable as YAML' }], cause }
  }
  if (file.problems.length > 0) return { problems: file.problems }
  const result = kind.schema.safeParse(file.value)
  if (!result.success) return { problems: schemaProblems(file, result.error) }
  const problems = kind.check?.(result.data, file.lineOf) ?? []
  return problems.length > 0 ? { problems } : { value: result.data }
}

/**
 * Reads one settings or policy file. Nothing is guessed: unknown fields, duplicate keys, anchors, aliases, tags, directives and a
 * second document are refused.
 *
 * @throws {ConfigError} `kind.code`: the message is `file:line: ...` of the first problem; details are {file, line, problems}.
 */
export function parseYamlFile<S extends z.ZodType>(text: string, kind: YamlKind<S>): z.output<S> {
  const outcome = read(text, kind)
  if ('value' in outcome) return outcome.value
  const problems = outcome.problems.toSorted((a, b) => a.line - b.line).slice(0, PROBLEMS_MAX)
  const { line, message } = problems[0] ?? { line: 1, message: 'not readable' }
  throw new ConfigError(kind.code, `${kind.file}:${line}: ${message}`, { file: kind.file, line, problems }, outcome.cause)
}
