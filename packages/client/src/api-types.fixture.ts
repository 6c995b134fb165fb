import { readFile } from 'node:fs/promises'
import openapiTypes, { astToString, type OpenAPI3 } from 'openapi-typescript'
import ts from 'typescript'

const DOCUMENT = new URL('../../../docs/api/openapi.json', import.meta.url)
export const TYPES = new URL('./generated/api.ts', import.meta.url)

const HEAD = `// Written by \`npm run -s openapi\` from docs/api/openapi.json, printed by TypeScript ${ts.version}. Do not edit.\n\n`

/** The types of the coordinator's API, as the document in docs/ says. */
export async function apiTypes(): Promise<string> {
  const document = JSON.parse(await readFile(DOCUMENT, 'utf8')) as OpenAPI3
  return HEAD + astToString(await openapiTypes(document, { immutable: true, silent: true }))
}
