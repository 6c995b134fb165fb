import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { toHex } from '@conclave/core'
import { openPkcs11Vault } from '../pkcs11-vault.ts'
import type { ProfileName } from '../profile.ts'
import { CONFORMANCE_CONTEXT as CONTEXT, opened, CONFORMANCE_SECRET as SECRET } from '../rig-conformance.ts'
import {
  agentPid,
  provisionSoftHsm,
  SOFTHSM_MISSING,
  type SoftHsm,
  softHsm,
  temporaryDirectory,
  withProfile,
} from '../softhsm-rig.fixture.ts'
import { runGcSoak } from './run-gc-soak.fixture.ts'

// npm run hsm:soak: 10,000 operations of an agent under forced garbage collection, and 100,000 seal and open with flat memory.
// Exits with 1 when one came out wrong or memory grew.

const MIB = 2 ** 20
/** In flight at once, as at a node's start. */
const PARALLEL = 8
/**
 * What the second half may add to what is alive in the node after a collection, and to the resident memory of node and agent. package.json
 * holds the young generation at 8 MiB: the engine otherwise enlarges it in steps, which looks like growth.
 */
const LIVE_GROWTH_MIB_MAX = 2
const GROWTH_MIB_MAX = 8
const GC_PROFILES: readonly ProfileName[] = ['gcm', 'cbc-hmac']

function requireCollector(): () => void {
  const { gc } = globalThis as { gc?: () => void }
  if (gc === undefined) throw new Error('run with --expose-gc')
  return gc
}
const collect = requireCollector()

interface Sample {
  readonly records: number
  readonly liveMib: number
  readonly nodeMib: number
  readonly agentMib: number
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

function sample(records: number, hsm: SoftHsm): Sample {
  collect()
  const { heapUsed, external, rss } = process.memoryUsage()
  const liveMib = Number(((heapUsed + external) / MIB).toFixed(1))
  return { records, liveMib, nodeMib: Math.round(rss / MIB), agentMib: residentMib(agentPid(hsm)) }
}

function residentMib(pid: number): number {
  return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024)
}

async function collectSoak(dir: string, operations: number): Promise<boolean> {
  let good = true
  for (const profile of GC_PROFILES) {
    const hsm = withProfile(await softHsm(dir, `gc-${profile}`), profile)
    await provisionSoftHsm(hsm)
    const result = runGcSoak(hsm, Math.ceil(operations / GC_PROFILES.length))
    print({ soak: 'gc', profile, ...result })
    good &&= result.corrupted === 0
  }
  return good
}

/** Seals and opens; memory is taken at tenths, the first half being for warming up. */
async function memorySoak(hsm: SoftHsm, records: number): Promise<boolean> {
  const vault = await openPkcs11Vault({ hsms: [hsm.settings] })
  const samples: Sample[] = []
  let [done, wrong] = [0, 0]
  const one = async (i: number) => {
    const context = { ...CONTEXT, keyId: `key-${i}` }
    if ((await opened(vault.open(context, await vault.seal(context, SECRET)))) !== toHex(SECRET)) wrong++
  }
  const startMs = performance.now()
  while (done < records) {
    await Promise.all(Array.from({ length: PARALLEL }, (_, i) => one(done + i)))
    done += PARALLEL
    if (Math.floor((done * 10) / records) > samples.length) samples.push(sample(done, hsm))
  }
  const seconds = Math.round((performance.now() - startMs) / 1000)
  await vault.close()
  const [half, end] = [samples[Math.floor(samples.length / 2)]!, samples.at(-1)!]
  const growth = {
    liveMib: Number((end.liveMib - half.liveMib).toFixed(1)),
    nodeMib: end.nodeMib - half.nodeMib,
    agentMib: end.agentMib - half.agentMib,
  }
  print({ soak: 'memory', records: done, wrong, seconds, growth, samples })
  return wrong === 0 && growth.liveMib <= LIVE_GROWTH_MIB_MAX && growth.nodeMib <= GROWTH_MIB_MAX && growth.agentMib <= GROWTH_MIB_MAX
}

const { values } = parseArgs({
  options: { operations: { type: 'string', default: '10000' }, records: { type: 'string', default: '100000' } },
})
if (SOFTHSM_MISSING !== undefined) {
  print({ missing: SOFTHSM_MISSING })
  process.exit(1)
}
const directory = await temporaryDirectory()
try {
  const hsm = await softHsm(directory.path, 'primary')
  await provisionSoftHsm(hsm)
  const flat = await memorySoak(hsm, Number(values.records))
  const intact = await collectSoak(directory.path, Number(values.operations))
  process.exitCode = flat && intact ? 0 : 1
} finally {
  await directory.remove()
}
