import { YAML_CHARS_MAX } from '@conclave/core'
import { parseYamlFile, type YamlProblem } from '@conclave/core/yaml-file'
import type { Policy } from './policy.ts'
import { policySchema } from './policy-schema.ts'

export const POLICY_CHARS_MAX = YAML_CHARS_MAX

// A verdict names its rule, so a name must be one rule.
function nameProblems(policy: Policy, lineOf: (path: readonly PropertyKey[]) => number): readonly YamlProblem[] {
  const names = policy.rules.map((rule) => rule.name)
  return names.flatMap((name, i) =>
    names.indexOf(name) === i ? [] : [{ line: lineOf(['rules', i, 'name']), message: `two rules are named "${name}"` }],
  )
}

/**
 * Reads a policy file. Nothing is guessed: unknown fields, duplicate keys, anchors, aliases, tags, directives, a second document,
 * unquoted amounts, addresses with a wrong checksum and allow rules without a bound are refused.
 *
 * @param text - the YAML.
 * @param file - its name, for messages.
 * @throws {ConfigError} BAD_POLICY: the message is `file:line: ...` of the first problem; details are {file, line, problems}.
 */
export function parsePolicy(text: string, file = 'policy'): Policy {
  return parseYamlFile(text, { file, schema: policySchema, code: 'BAD_POLICY', check: nameProblems })
}
