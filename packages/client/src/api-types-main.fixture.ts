import { writeFile } from 'node:fs/promises'
import { apiTypes, TYPES } from './api-types.fixture.ts'

/** Writes the types that the document of the API says: second half of `npm run -s openapi`. */
await writeFile(TYPES, await apiTypes())
