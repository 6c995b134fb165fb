// kill -9 of coordinators under load: `npm run -s chaos:coordinator -- --kills 20 --json`. Exit code 1 when an acknowledged request is not in a
// final state, something was signed twice or a webhook was lost.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CHAOS_DEFAULTS, runCoordinatorChaos } from './coordinator-chaos.ts'

const flag = { type: 'boolean', default: false } as const
const { values } = parseArgs({
  options: { kills: { type: 'string', default: '20' }, seed: { type: 'string', default: '1' }, json: flag, embedded: flag },
})
const say = (line: string) => (values.json ? process.stderr : process.stdout).write(`${line}\n`)
const plan = { ...CHAOS_DEFAULTS, isEmbedded: values.embedded }
const dir = await mkdtemp(join(tmpdir(), 'conclave-chaos-'))
try {
  const report = await runCoordinatorChaos({ ...plan, dir, kills: Number(values.kills), seed: Number(values.seed), say })
  process.stdout.write(`${JSON.stringify(report)}\n`)
  process.exitCode = report.final === report.acknowledged && report.signedTwice + report.webhooksLost === 0 ? 0 : 1
} finally {
  await rm(dir, { recursive: true, force: true })
}
