// `npm run attack:coordinator [-- --json]`: every attack of the table against three real nodes in this process. Exit code 1 when one is not
// refused with its code.
import { COORDINATOR_ATTACKS, HostileCoordinator } from './coordinator-attacks.fixture.ts'

const isJson = process.argv.includes('--json')
const hostile = await HostileCoordinator.start()
const byCode: Record<string, number> = {}
const failed: string[] = []
try {
  for (const { name, code, run } of COORDINATOR_ATTACKS) {
    const before = hostile.signatures
    const said = await run(hostile)
    const isRefused = said === code && hostile.signatures === before
    if (isRefused) byCode[code] = (byCode[code] ?? 0) + 1
    else failed.push(`${name}: ${said} instead of ${code}`)
    if (!isJson) process.stdout.write(`${isRefused ? 'refused' : 'FAILED '} ${name}: ${said}\n`)
  }
} finally {
  await hostile.cluster.close()
}
const attempts = COORDINATOR_ATTACKS.length
const refused = attempts - failed.length
process.stdout.write(isJson ? `${JSON.stringify({ attempts, refused, byCode })}\n` : `${refused} of ${attempts} refused\n`)
for (const line of failed) process.stderr.write(`${line}\n`)
process.exitCode = failed.length === 0 ? 0 : 1
