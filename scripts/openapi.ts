import { mkdir, writeFile } from 'node:fs/promises'
import { Harness } from '@conclave/coordinator/testing'

/** Writes docs/api/openapi.json: what a coordinator serves at /v1/openapi.json. */
const file = new URL('../docs/api/openapi.json', import.meta.url)
await using harness = await Harness.start()
const { document } = await harness.contract()
await mkdir(new URL('.', file), { recursive: true })
await writeFile(file, `${JSON.stringify(document, null, 1)}\n`)
