import { writeFile } from 'node:fs/promises'
import { cliDocs } from './cli-docs.ts'
import { notesOf } from './command-tree.ts'
import { createProgram } from './program.ts'

/** Writes docs/cli.md: `npm run -s cli-docs`. */
const program = createProgram((reason) => {
  throw reason
})
await writeFile(new URL('../../../docs/cli.md', import.meta.url), cliDocs(notesOf(program)))
