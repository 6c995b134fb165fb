import { ConfigError } from '@conclave/core'
import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'

export interface SettingsYaml {
  readonly value: unknown
  /** Line (from 1) of the deepest part of `path` that the file has. */
  lineOf(path: readonly PropertyKey[]): number
}

function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  let node: unknown = document.contents
  let offset = document.contents?.range?.[0] ?? 0
  for (const step of path) {
    if (isMap<Node>(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === step)
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

/** One YAML 1.2 document without duplicate keys and aliases. @throws {ConfigError} BAD_SETTINGS with the line. */
export function readSettingsYaml(text: string): SettingsYaml {
  const lines = new LineCounter()
  const document: Document = parseDocument(text, {
    strict: true,
    uniqueKeys: true,
    prettyErrors: false,
    stringKeys: true,
    lineCounter: lines,
  })
  const [first] = [...document.errors, ...document.warnings]
  const refuse = (line: number, message: string, cause?: unknown): never => {
    throw new ConfigError('BAD_SETTINGS', `settings, line ${line}: ${message}`, { line }, cause)
  }
  if (first !== undefined) refuse(lines.linePos(first.pos[0]).line, first.message)
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: 0 })
  } catch (cause) {
    refuse(1, 'YAML aliases are not allowed', cause)
  }
  return { value, lineOf: (path) => lines.linePos(offsetOf(document, path)).line }
}
