import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'

const PROGRAM = new URL('./program.ts', import.meta.url).href
const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** Prints every file that is loaded with the module named by its argument. */
const LOADED = `
import { registerHooks } from 'node:module'
const files = []
registerHooks({ load(url, context, next) { files.push(url); return next(url, context) } })
await import(process.argv[1])
console.log(files.join('\\n'))`

describe('program', () => {
  it('program: a node does not carry the coordinator and the testnet along', async () => {
    const args = ['--input-type=module', '--eval', LOADED, PROGRAM]
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT, maxBuffer: 1 << 24 })
    const has = (part: string) => stdout.split('\n').some((file) => file.includes(part))
    expect(['/packages/node/src/daemon.ts', '/node_modules/zod/'].every(has)).to.equal(true)
    for (const part of ['/packages/coordinator/', '/packages/testnet/', '/node_modules/fastify/', '/node_modules/typebox/'])
      expect(has(part), part).to.equal(false)
  })
})
