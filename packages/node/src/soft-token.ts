import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError } from '@conclave/core'
import { type HsmSettings, prepareSoftHsm, softHsmModule } from '@conclave/vault'

export interface SoftTokenPlan {
  /** Name of the HSM in the settings. */
  readonly hsm: string
  /** Label of the token; cut to the length that labels have. */
  readonly token: string
  /** Put behind the names of the files and the directory. */
  readonly suffix: string
}

const pin = (): string => randomBytes(12).toString('base64url')
const LABEL_CHARS_MAX = 32

/** Files and directories that {@link prepareSoftToken} makes. */
export const softTokenFiles = (suffix: string): readonly string[] => [`softhsm${suffix}`, `pin${suffix}`, `so-pin${suffix}`]

/**
 * Makes the home of a SoftHSM token inside `dir`, with fresh PINs in private files; the token itself comes with provisioning.
 *
 * @throws {ConfigError} MODULE_MISSING.
 */
export async function prepareSoftToken(dir: string, plan: SoftTokenPlan): Promise<{ hsm: HsmSettings; soPinFile: string }> {
  const module = softHsmModule()
  if (module === undefined)
    throw new ConfigError('MODULE_MISSING', 'SoftHSM2 is not installed: run scripts/setup.sh, or name a PKCS#11 module')
  const [home, pinFile, soPinFile] = softTokenFiles(plan.suffix).map((file) => join(dir, file)) as [string, string, string]
  const env = await prepareSoftHsm(home)
  await writeFile(pinFile, `${pin()}\n`, { mode: 0o600, flag: 'wx' })
  await writeFile(soPinFile, `${pin()}\n`, { mode: 0o600, flag: 'wx' })
  const token = plan.token.slice(0, LABEL_CHARS_MAX)
  return { hsm: { name: plan.hsm, module, token, pin: { file: pinFile }, env }, soPinFile }
}
