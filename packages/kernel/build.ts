/** Compiles assembly/ to build/kernel.wasm. `npm run kernel`; the set-up does it whenever the sources have changed. */
import { mkdirSync } from 'node:fs'
import asc from 'assemblyscript/asc'

const HERE = import.meta.dirname
mkdirSync(`${HERE}/build`, { recursive: true })
const options = [
  ...['--baseDir', HERE, '--outFile', 'build/kernel.wasm', '--runtime', 'stub', '--enable', 'simd'],
  ...['--optimizeLevel', '3', '--shrinkLevel', '0', '--converge', '--noAssert', '--uncheckedBehavior', 'always', '--use', 'abort='],
]
const { error, stderr } = await asc.main(['assembly/index.ts', ...options])
if (error !== null) {
  process.stderr.write(`${stderr.toString()}${error.message}\n`)
  process.exitCode = 1
}
