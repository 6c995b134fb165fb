import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'

const WORKER = new URL('./worker.ts', import.meta.url).href
const ROOT = fileURLToPath(new URL('../../../..', import.meta.url))

/** Prints every file that is loaded with the module named by its argument. */
const LOADED = `
import { registerHooks } from 'node:module'
const files = []
registerHooks({ load(url, context, next) { files.push(url); return next(url, context) } })
await import(process.argv[1])
console.log(files.join('\\n'))`

describe('session worker', () => {
  it('session worker: every thread loads its modules anew, and they are those of the protocols and no others', async () => {
    const args = ['--input-type=module', '--eval', LOADED, WORKER]
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT, maxBuffer: 1 << 24 })
    const packages = stdout.matchAll(/\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/g)
    const named = [...new Set([...packages].map(([, name]) => name))].sort()
    expect(named).to.deep.equal(['@noble/curves', '@noble/hashes', '@scure/base', 'long', 'protobufjs'])
  })
})
