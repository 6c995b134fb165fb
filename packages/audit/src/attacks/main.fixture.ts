// Attacks on a log: `npm run -s attack:audit -- --json` -> {"attempts":n,"detected":n,"byKind":{..}}. Exit code 1 when one is not found.
import { parseArgs } from 'node:util'
import { FILE_ATTACKS } from './attacks.fixture.ts'
import { Lab } from './lab.fixture.ts'
import { PROOF_ATTACKS } from './proof-attacks.fixture.ts'

interface Count {
  attempts: number
  detected: number
  readonly codes: Record<string, number>
}

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } })
const lab = await Lab.open()
const byKind: Record<string, Count> = {}
const missed: string[] = []
try {
  for (const { kind, name, run } of [...FILE_ATTACKS, ...PROOF_ATTACKS]) {
    const codes = await run(lab)
    byKind[kind] ??= { attempts: 0, detected: 0, codes: {} }
    const count = byKind[kind]
    count.attempts++
    if (codes.length > 0) count.detected++
    else missed.push(`${kind}: ${name}`)
    for (const code of new Set(codes)) count.codes[code] = (count.codes[code] ?? 0) + 1
  }
} finally {
  await lab.close()
}
const sum = (of: 'attempts' | 'detected') => Object.values(byKind).reduce((n, c) => n + c[of], 0)
const [attempts, detected] = [sum('attempts'), sum('detected')]
if (values.json) process.stdout.write(`${JSON.stringify({ attempts, detected, byKind })}\n`)
else {
  for (const [kind, c] of Object.entries(byKind))
    process.stdout.write(`${kind}: ${c.detected} of ${c.attempts} found (${Object.keys(c.codes).join(' ')})\n`)
  process.stdout.write(`${detected} of ${attempts} found\n`)
}
for (const name of missed) process.stderr.write(`not found: ${name}\n`)
process.exitCode = missed.length > 0 ? 1 : 0
