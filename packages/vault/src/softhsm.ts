import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'

const MODULE_PATHS = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib64/softhsm/libsofthsm2.so',
  '/usr/lib64/pkcs11/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
  '/opt/homebrew/lib/softhsm/libsofthsm2.so',
]

/** Where SoftHSM is installed on this machine, if it is. */
export function softHsmModule(): string | undefined {
  return MODULE_PATHS.find((path) => existsSync(path))
}

/**
 * Makes `dir` the home of a SoftHSM of its own: a configuration file and an empty token directory, both private.
 *
 * @returns the `env` for HsmSettings.
 */
export async function prepareSoftHsm(dir: string): Promise<{ readonly SOFTHSM2_CONF: string }> {
  const home = resolve(dir)
  const tokens = join(home, 'tokens')
  await mkdir(tokens, { recursive: true, mode: 0o700 })
  const conf = join(home, 'softhsm2.conf')
  await writeFile(conf, `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n`, {
    mode: 0o600,
  })
  return { SOFTHSM2_CONF: conf }
}
