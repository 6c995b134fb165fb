// Faults of HSMs under load: `npm run -s hsm:faults`. With --json one line, {"faults":[{"kind","backup","signaturesLost","recovered",...}]};
// what cannot run on this machine is named in "skipped". Exit code 1 when a signature was lost or something did not recover.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { providerMissing } from '@conclave/vault/providers'
import { FaultCluster, type FaultResult } from './hsm-faults.ts'
import type { HsmPlan } from './hsm-nodes.ts'
import { FAULT_KINDS, type FaultKind } from './injections.ts'

interface Scene {
  readonly plan: HsmPlan
  readonly runs: readonly { readonly kind: FaultKind; readonly isAlone?: boolean }[]
}

const OF_SOFTHSM: readonly FaultKind[] = ['agent-sigkill', 'agent-sigstop', 'token-directory-renamed']
const SCENES: readonly Scene[] = [
  { plan: ['softhsm', 'nss'], runs: OF_SOFTHSM.map((kind) => ({ kind })) },
  { plan: ['softhsm'], runs: OF_SOFTHSM.map((kind) => ({ kind })) },
  { plan: ['tpm', 'softhsm'], runs: [{ kind: 'server-killed' }, { kind: 'server-killed', isAlone: true }] },
]

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, kind: { type: 'string', multiple: true } } })
const wanted: readonly string[] = values.kind ?? FAULT_KINDS
const say = (line: string) => (values.json ? process.stderr : process.stdout).write(`${line}\n`)
const faults: FaultResult[] = []
const skipped: { readonly kinds: readonly string[]; readonly why: string }[] = []

for (const { plan, runs } of SCENES) {
  const chosen = runs.filter((r) => wanted.includes(r.kind))
  if (chosen.length === 0) continue
  const missing = plan.map(providerMissing).find((m) => m !== undefined)
  if (missing !== undefined) {
    skipped.push({ kinds: chosen.map((r) => r.kind), why: missing })
    say(`skipped ${plan.join(', ')}: ${missing}`)
    continue
  }
  const dir = await mkdtemp(join(tmpdir(), 'conclave-faults-'))
  let cluster: FaultCluster | undefined
  try {
    cluster = await FaultCluster.start(dir, plan)
    for (const { kind, ...options } of chosen) {
      const result = await cluster.run(kind, options)
      faults.push(result)
      say(`${kind.padEnd(24)} backup ${String(result.backup).padEnd(8)} ${JSON.stringify(result)}`)
    }
  } finally {
    await cluster?.stop()
    await rm(dir, { recursive: true, force: true })
  }
}

const isGood = ({ signaturesLost, recovered, backup, error, failoverLogged }: FaultResult) =>
  signaturesLost === 0 && recovered && error?.retriable !== false && (backup === null || failoverLogged === true)
if (values.json) process.stdout.write(`${JSON.stringify({ faults, skipped })}\n`)
process.exitCode = faults.length > 0 && faults.every(isGood) ? 0 : 1
