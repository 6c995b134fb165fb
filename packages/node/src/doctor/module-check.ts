import type { HsmInspection } from '@conclave/vault'
import type { FileFacts } from './file-check.ts'
import { type CheckResult, check, type Finding, finding, type Known } from './finding.ts'

/** What a PKCS#11 library and its configuration look like on the disk. */
export interface ModuleFacts {
  readonly hsm: string
  readonly path: string
  /** Undefined when it is not there. */
  readonly file: FileFacts | undefined
  /** Of an ELF file; `other` for anything that is none. Undefined when it cannot be read. */
  readonly machine: string | undefined
  /** What this process runs on, in the same words. */
  readonly ownMachine: string
  /** Of SoftHSM only. */
  readonly softHsm: SoftHsmFacts | undefined
}

export interface SoftHsmFacts {
  /** SOFTHSM2_CONF of the settings or of the environment. */
  readonly conf: string | undefined
  readonly confReadable: boolean
  /** What it names as directories.tokendir. */
  readonly tokenDir: string | undefined
  readonly tokenDirThere: boolean
  /** As `softhsm2-util --version` gives it; undefined where that tool is not. */
  readonly version: string | undefined
}

const OLDEST = [2, 6, 1] as const

/** Whether `a.b.c` is below the oldest SoftHSM that we stand for. */
function isOld(version: string): boolean {
  const parts = version.split('.').map((n) => Number.parseInt(n, 10))
  for (const [i, least] of OLDEST.entries()) {
    const part = parts[i] ?? least
    if (part !== least) return part < least
  }
  return false
}

function fileFindings({ hsm, path, file, machine, ownMachine }: ModuleFacts): readonly (Finding | undefined)[] {
  if (file === undefined) {
    return [
      finding('MODULE_MISSING', hsm, `the PKCS#11 module ${path} does not exist`, `install it, or set hsm[${hsm}].module in node.yaml`),
    ]
  }
  const writable = (file.mode & 0o022) !== 0
  return [
    machine !== undefined && machine !== ownMachine
      ? finding(
          'MODULE_ARCHITECTURE',
          hsm,
          `${path} is for ${machine}, this machine is ${ownMachine}`,
          `install the package of ${ownMachine}, and set hsm[${hsm}].module in node.yaml`,
        )
      : undefined,
    writable ? finding('FILE_WRITABLE', path, 'others may change the PKCS#11 module, which sees the PIN', `chmod go-w ${path}`) : undefined,
  ]
}

function softHsmFindings(
  hsm: string,
  { conf, confReadable, tokenDir, tokenDirThere, version }: SoftHsmFacts,
): readonly (Finding | undefined)[] {
  const line = `hsm[${hsm}].env.SOFTHSM2_CONF in node.yaml`
  const about = (message: string) => finding('SOFTHSM_CONFIG', hsm, message, `correct ${line}, or put the file back`)
  const config = () => {
    if (conf === undefined) return about('SOFTHSM2_CONF is not set, so SoftHSM would use the tokens of the whole machine')
    if (!confReadable) return about(`SOFTHSM2_CONF names ${conf}, which cannot be read`)
    if (tokenDir === undefined) return about(`${conf} names no directories.tokendir`)
    return tokenDirThere ? undefined : about(`the token directory ${tokenDir} does not exist`)
  }
  const old = version !== undefined && isOld(version)
  return [
    config(),
    old ? finding('SOFTHSM_OLD', hsm, `SoftHSM ${version} has known faults`, `install SoftHSM ${OLDEST.join('.')} or newer`) : undefined,
    finding(
      'SOFTHSM_IN_USE',
      hsm,
      'SoftHSM keeps its keys in files: it is for development and test networks',
      'nothing on a test network; in production use a device (docs/hsm.md)',
    ),
  ]
}

function loadFindings(facts: ModuleFacts, { module }: HsmInspection): readonly (Finding | undefined)[] {
  if (module.ok || facts.file === undefined) return []
  const { hsm, path } = facts
  const by = `load it with the vendor's tool, e.g. pkcs11-tool --module ${path} -L`
  if (module.code === 'AGENT_DIED') return [finding('MODULE_CRASHED', hsm, `${path} ends the process that loads it (${module.why})`, by)]
  if (module.code === 'TIMEOUT')
    return [finding('MODULE_HANGS', hsm, `${path} does not answer (${module.why})`, `${by}; look at the device and its network`)]
  return [finding('MODULE_NOT_LOADABLE', hsm, module.why, by)]
}

/** Whether each HSM's library is there, is for this machine, is nobody else's to change, and works. */
export function checkModule(facts: ModuleFacts, inspection: Known<HsmInspection>): readonly CheckResult[] {
  const { hsm, softHsm } = facts
  return [
    { check: `module file (${hsm})`, findings: fileFindings(facts).filter((f) => f !== undefined) },
    ...(softHsm === undefined
      ? []
      : [{ check: `softhsm (${hsm})`, findings: softHsmFindings(hsm, softHsm).filter((f) => f !== undefined) }]),
    check(`module (${hsm})`, inspection, (found) => loadFindings(facts, found)),
  ]
}
