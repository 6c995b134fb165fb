// Generates packages/wire/src/generated from proto/. `--check` compares instead of writing and fails on a difference.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const target = join(root, 'packages/wire/src/generated/messages.js')
const check = process.argv.includes('--check')
const dir = mkdtempSync(join(tmpdir(), 'conclave-proto-'))
const out = check ? join(dir, 'messages.js') : target
const sources = readdirSync(join(root, 'proto'))
  .filter((f) => f.endsWith('.proto'))
  .sort()
  .map((f) => join('proto', f))
const flags =
  '-t static-module -w esm --null-semantics --no-create --no-delimited --no-typeurl --no-convert --no-verify --no-comments --no-service'
const run = spawnSync(process.execPath, [join(root, 'node_modules/protobufjs-cli/bin/pbjs'), ...flags.split(' '), '-o', out, ...sources], {
  cwd: root,
  stdio: 'inherit',
})
const same = run.status === 0 && (!check || readFileSync(out, 'utf8') === readFileSync(target, 'utf8'))
rmSync(dir, { recursive: true })
if (!same) {
  process.stderr.write('proto: the generated codecs do not match proto/; run npm run proto\n')
  process.exit(1)
}
