import { mkdir, writeFile } from 'node:fs/promises'
import { Harness } from '@conclave/coordinator/testing'

/** Writes docs/api/openapi.json: what a coordinator serves at /v1/openapi.json. */
const file = new URL('../docs/api/openapi.json', import.meta.url)
const harness = await Harness.start()
const { document } = await harness.contract()
await mkdir(new URL('.', file), { recursive: true })
await writeFile(file, `${JSON.stringify(document, null, 1)}\n`)
await harness[Symbol.asyncDispose]()
// The harness keeps its database for the next one, which does not come.
process.exit(0)
