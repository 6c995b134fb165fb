import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SoftHsm } from '../softhsm-rig.fixture.ts'

// Test support: vendor-shim.fixture.c, compiled with what the machine has.

const SOURCE = fileURLToPath(new URL('./vendor-shim.fixture.c', import.meta.url))
const INCLUDES = join(dirname(createRequire(import.meta.url).resolve('pkcs11js/package.json')), 'includes')

export const COMPILER_MISSING = spawnSync('cc', ['--version']).status === 0 ? undefined : 'no C compiler (cc)'

/** The behaviours of the shim; what each is stands in its source. */
export type ShimWord =
  | 'need-locking'
  | 'shared'
  | 'final-try'
  | 'locked'
  | 'few-sessions'
  | 'iv-param'
  | 'iv-stuck'
  | 'iv-tail'
  | 'throttle'
  | 'bare-point'
  | 'late'

export interface VendorShim {
  /** This HSM with the shim in front of its module. */
  wrap(hsm: SoftHsm, ...words: ShimWord[]): SoftHsm
  /** How often calls of this name reached the module of a shimmed HSM. */
  calls(hsm: SoftHsm, name: string): number
  remove(): void
}

/** @throws {Error} with what the compiler says. */
export function compileShim(): VendorShim {
  const dir = mkdtempSync(join(tmpdir(), 'conclave-shim-'))
  const module = join(dir, 'shim.so')
  const run = spawnSync('cc', ['-shared', '-fPIC', '-Wall', '-Werror', '-I', INCLUDES, '-o', module, SOURCE, '-ldl'], { encoding: 'utf8' })
  if (run.status !== 0) throw new Error(`the shim does not compile: ${run.stderr}`)
  const logOf = (hsm: SoftHsm) => join(hsm.home, 'calls.log')
  return {
    wrap: (hsm, ...words) => ({
      ...hsm,
      settings: {
        ...hsm.settings,
        module,
        env: { ...hsm.settings.env, HSM_SHIM_MODULE: hsm.settings.module, HSM_SHIM: words.join(' '), HSM_SHIM_LOG: logOf(hsm) },
      },
    }),
    calls: (hsm, name) => {
      const path = logOf(hsm)
      return existsSync(path)
        ? readFileSync(path, 'utf8')
            .split('\n')
            .filter((line) => line === name).length
        : 0
    },
    remove: () => rmSync(dir, { recursive: true }),
  }
}
