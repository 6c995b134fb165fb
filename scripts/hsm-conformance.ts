// Runs the conformance suite of packages/vault on every HSM provider that this machine has, each in a process of its own.
// `--json`: one line, {"providers":[{"name","status":"passed|failed|missing","tests"}]}; tests counts those that ran.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const ROOT = join(import.meta.dirname, '..')
const MOCHA = join(ROOT, 'node_modules/mocha/bin/mocha.js')
const PROVIDERS_SCRIPT = join(ROOT, 'scripts/hsm-providers')

interface Suite {
  /** As scripts/hsm-providers calls it. */
  readonly name: string
  readonly file: string
  /** Which of the file's tests are its. */
  readonly grep: string
  /** Runs below scripts/hsm-providers enter. */
  readonly namespace?: boolean
}

const SUITES: readonly Suite[] = [
  { name: 'softhsm', file: 'packages/vault/src/pkcs11-vault.test.ts', grep: 'SoftHSM2' },
  { name: 'nss', file: 'packages/vault/src/providers/providers.test.ts', grep: 'NSS softokn' },
  { name: 'tpm', file: 'packages/vault/src/providers/providers.test.ts', grep: 'TPM 2.0' },
  { name: 'opencryptoki', file: 'packages/vault/src/providers/providers.test.ts', grep: 'opencryptoki', namespace: true },
  { name: 'p11-kit', file: 'packages/vault/src/providers/providers.test.ts', grep: 'p11-kit remote' },
]

interface Result {
  readonly name: string
  readonly status: 'passed' | 'failed' | 'missing'
  readonly tests: number
  /** For people. */
  readonly note: string
}

interface MochaReport {
  readonly stats: { readonly passes: number; readonly failures: number; readonly pending: number }
  readonly failures: readonly { readonly fullTitle: string; readonly err: { readonly message?: string } }[]
}

function missingProviders(): ReadonlyMap<string, string> {
  const status = spawnSync(PROVIDERS_SCRIPT, ['status'], { encoding: 'utf8' }).stdout.trim().split('\n')
  return new Map(
    status.flatMap((line) => {
      const [name = '', state, ...packages] = line.split(' ')
      return state === 'installed' ? [] : [[name, packages.join(' ')] as const]
    }),
  )
}

function runSuite({ name, file, grep, namespace }: Suite): Result {
  const dir = mkdtempSync(join(tmpdir(), 'conclave-conformance-'))
  const report = join(dir, 'report.json')
  const flags = ['--no-config', '--extension', 'ts', '--timeout', '120000', '--exit', '--forbid-only']
  const mocha = [
    process.execPath,
    MOCHA,
    ...flags,
    '--reporter',
    'json',
    '--reporter-option',
    `output=${report}`,
    '--grep',
    grep,
    join(ROOT, file),
  ]
  mkdirSync(join(dir, 'namespace'))
  const [command, ...args] = namespace === true ? [PROVIDERS_SCRIPT, 'enter', join(dir, 'namespace'), ...mocha] : mocha
  try {
    const run = spawnSync(command!, args, { cwd: ROOT, encoding: 'utf8' })
    return resultOf(name, report, run.stderr)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function resultOf(name: string, report: string, errors: string): Result {
  let parsed: MochaReport
  try {
    parsed = JSON.parse(readFileSync(report, 'utf8')) as MochaReport
  } catch {
    // It died before it could say anything.
    return { name, status: 'failed', tests: 0, note: errors.trim().slice(-2000) }
  }
  const { passes, failures, pending } = parsed.stats
  const notes = parsed.failures.map((f) => `${f.fullTitle}: ${f.err.message ?? ''}`)
  // A suite that skips is not one that passes.
  if (pending > 0) notes.push(`${pending} skipped`)
  if (passes === 0) notes.push('no test ran')
  return { name, status: notes.length === 0 ? 'passed' : 'failed', tests: passes + failures, note: notes.join('\n  ') }
}

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, provider: { type: 'string', multiple: true } } })
const missing = missingProviders()
const results: Result[] = []
for (const suite of SUITES.filter((s) => values.provider?.includes(s.name) ?? true)) {
  const packages = missing.get(suite.name)
  const note = `scripts/hsm-providers install ${suite.name} (${packages})`
  const result: Result = packages === undefined ? runSuite(suite) : { name: suite.name, status: 'missing', tests: 0, note }
  results.push(result)
  if (!values.json)
    process.stdout.write(`${result.name.padEnd(14)}${result.status.padEnd(9)}${String(result.tests).padStart(4)} tests  ${result.note}\n`)
  else if (result.status === 'failed') process.stderr.write(`${result.name}: ${result.note}\n`)
}
if (values.json)
  process.stdout.write(`${JSON.stringify({ providers: results.map(({ name, status, tests }) => ({ name, status, tests })) })}\n`)
process.exitCode = results.some((r) => r.status === 'failed') ? 1 : 0
