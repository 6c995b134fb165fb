import { FAILED, printError } from './output.ts'
import { createProgram } from './program.ts'

// What gets here is a bug of ours: one line for the person, and a process that does not go on in an unknown state.
process.on('uncaughtException', (error) => {
  printError(error)
  process.exit(FAILED)
})

await createProgram((reason) => process.exit(reason.exitCode === 0 ? 0 : 2)).parseAsync()
