import { execFileSync } from 'node:child_process'
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { KeyVault } from './key-vault.ts'
import { KEK_LABEL, Pkcs11Hsm } from './pkcs11-hsm.ts'
import { openPkcs11Vault } from './pkcs11-vault.ts'
import { parseRecord } from './record.ts'
import { CONFORMANCE_CONTEXT as CONTEXT, CONFORMANCE_SECRET as SECRET } from './rig-conformance.ts'
import { encodeContext } from './seal-context.ts'
import { provisionSoftHsm, SOFTHSM_MISSING, type SoftHsm, softHsm, temporaryDirectory } from './softhsm-rig.fixture.ts'

// npm run hsm:bench: what opening one of many records costs beside its parts, in one run. Prints one line of JSON, milliseconds.
// unwrap: the data key from the HSM through its agent. gcm: AES-256-GCM of the body in software. bare: their sum.
// raw: the two PKCS#11 calls alone, in a process of their own, for information.

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '10000' },
    samples: { type: 'string', default: '2000' },
    max: { type: 'string', default: '1.5' },
  },
})
const RECORDS = Number(values.records)
const SAMPLES = Number(values.samples)
const RATIO_MAX = Number(values.max)
const FEW = 100
const RAW = fileURLToPath(new URL('./agent/raw-unwrap.fixture.ts', import.meta.url))

function median(sorted: number[]): number {
  sorted.sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]!
}

async function timed(act: () => unknown): Promise<number> {
  const startMs = performance.now()
  await act()
  return performance.now() - startMs
}

function softwareGcm(key: Uint8Array, iv: Uint8Array, body: Uint8Array, aad: Uint8Array): void {
  const split = body.length - 16
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: 16 })
  decipher.setAAD(aad).setAuthTag(body.subarray(split))
  decipher.update(body.subarray(0, split))
  decipher.final()
}

/** Medians of the parts and the whole, one after the other on the same records, so that all see the same machine. */
async function measure(
  vault: KeyVault,
  hsm: Pkcs11Hsm,
  records: readonly Uint8Array[],
): Promise<{ unwrap: number; gcm: number; open: number }> {
  const aad = encodeContext(CONTEXT)
  const key = new Uint8Array(hkdfSync('sha256', randomBytes(32), new Uint8Array(0), aad, 32))
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: 16 }).setAAD(aad)
  const body = Buffer.concat([cipher.update(SECRET), cipher.final(), cipher.getAuthTag()])
  const times = { unwrap: [] as number[], gcm: [] as number[], open: [] as number[] }
  for (let i = 0; i < SAMPLES; i++) {
    // A step that has no factor in common with the number of records, so that all of them have their turn.
    const record = records[(i * 7919) % records.length]!
    const [recipient] = parseRecord(record).recipients
    times.unwrap.push(await timed(() => hsm.unwrap(aad, recipient!)))
    times.gcm.push(await timed(() => softwareGcm(key, iv, body, aad)))
    times.open.push(await timed(async () => (await vault.open(CONTEXT, record))[Symbol.dispose]()))
  }
  return { unwrap: median(times.unwrap), gcm: median(times.gcm), open: median(times.open) }
}

function rawUnwrapMs({ settings }: SoftHsm): number {
  const agent = { ...settings, kekLabel: KEK_LABEL }
  const env = { PATH: process.env.PATH, ...settings.env }
  return Number(execFileSync(process.execPath, [RAW, JSON.stringify(agent), String(SAMPLES)], { env, encoding: 'utf8' }))
}

async function sealMany(vault: KeyVault, count: number): Promise<Uint8Array[]> {
  const records: Uint8Array[] = []
  while (records.length < count) records.push(...(await Promise.all(Array.from({ length: 100 }, () => vault.seal(CONTEXT, SECRET)))))
  return records
}

async function main(): Promise<void> {
  const directory = await temporaryDirectory()
  const softhsm = await softHsm(directory.path, 'primary')
  await provisionSoftHsm(softhsm)
  const vault = await openPkcs11Vault({ hsms: [softhsm.settings] })
  const hsm = new Pkcs11Hsm(softhsm.settings)
  try {
    const records = await sealMany(vault, RECORDS)
    await measure(vault, hsm, records.slice(0, FEW))
    const [few, many] = [await measure(vault, hsm, records.slice(0, FEW)), await measure(vault, hsm, records)]
    const ratio = many.open / (many.unwrap + many.gcm)
    const growth = many.open / (many.unwrap + many.gcm) / (few.open / (few.unwrap + few.gcm))
    const rounded = (parts: typeof many) => Object.fromEntries(Object.entries(parts).map(([name, ms]) => [name, Number(ms.toFixed(4))]))
    const raw = Number(rawUnwrapMs(softhsm).toFixed(4))
    const result = {
      records: records.length,
      ...rounded(many),
      ratio: Number(ratio.toFixed(3)),
      growth: Number(growth.toFixed(3)),
      few: rounded(few),
      raw,
    }
    process.stdout.write(`${JSON.stringify(result)}\n`)
    process.exitCode = ratio <= RATIO_MAX && growth <= RATIO_MAX ? 0 : 1
  } finally {
    await Promise.all([vault.close(), hsm.close()])
    await directory.remove()
  }
}

if (SOFTHSM_MISSING !== undefined) {
  process.stdout.write(`${JSON.stringify({ missing: SOFTHSM_MISSING })}\n`)
  process.exitCode = 1
} else await main()
