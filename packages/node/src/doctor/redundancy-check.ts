import type { AdminKey, AdminStatus } from '../admin.ts'
import { unbackedKeys } from '../backup/unbacked.ts'
import type { CheckedHsm } from '../checkup.ts'
import { type CheckResult, check, type Finding, finding, type Known } from './finding.ts'

/** Who can open the one record that lies beside the store. */
export interface StoreKeyFacts {
  readonly file: string
  /** Serials of the tokens that it is sealed to. */
  readonly sealedTo: readonly string[]
  /** HSMs of the settings with their serials, those that are known. */
  readonly hsms: readonly { readonly name: string; readonly serial: string }[]
}

const REWRAP = (dir: string): string => `conclave hsm rewrap --dir ${dir}`

function storeKeyFindings(dir: string, { file, sealedTo, hsms }: StoreKeyFacts): readonly (Finding | undefined)[] {
  return hsms
    .filter((h) => !sealedTo.includes(h.serial))
    .map((h) =>
      finding('SEALS_MISSING', h.name, `"${h.name}" cannot open ${file}: without the other HSMs the node does not start`, REWRAP(dir)),
    )
}

function sealFindings(dir: string, hsms: readonly CheckedHsm[]): readonly (Finding | undefined)[] {
  return hsms.map(({ name, missedSeals, unopenable }) => {
    const missing = unopenable ?? missedSeals
    return missing === 0
      ? undefined
      : finding('SEALS_MISSING', name, `"${name}" cannot open ${missing} of this node's records`, REWRAP(dir))
  })
}

function healthFindings({ hsm }: AdminStatus): readonly (Finding | undefined)[] {
  const help = 'look at the device; docs/hsm.md, "Error codes", says what each code needs'
  const code = hsm.some((h) => h.ok) ? 'HSM_DOWN' : 'HSMS_DOWN'
  return hsm.map((h) =>
    h.ok ? undefined : finding(code, h.name, `the running node gets no answer of "${h.name}" (${h.code ?? 'no code'})`, help),
  )
}

function backupFindings(dir: string, keys: readonly AdminKey[]): readonly Finding[] {
  return unbackedKeys(keys).map(({ keyId, epoch, lastBackupEpoch }) => {
    const has = lastBackupEpoch === null ? 'was never backed up' : `has a backup of epoch ${lastBackupEpoch} only, which is of no use`
    return finding('BACKUP_MISSING', keyId, `epoch ${epoch} of "${keyId}" ${has}`, `conclave backup create --dir ${dir} --out ...`)
  })
}

/** What is there when one thing fails: a second HSM, seals for it, a backup. */
export interface RedundancyFacts {
  readonly dir: string
  /** How many HSMs the settings have. */
  readonly hsmCount: Known<number>
  /** How many custodians the settings name. */
  readonly custodians: Known<number>
  readonly storeKey: Known<StoreKeyFacts>
  readonly hsms: Known<readonly CheckedHsm[]>
  readonly status: Known<AdminStatus>
}

export function checkRedundancy({ dir, hsmCount, custodians, storeKey, hsms, status }: RedundancyFacts): readonly CheckResult[] {
  return [
    check('number of HSMs', hsmCount, (count) => [
      count > 1
        ? undefined
        : finding(
            'ONE_HSM',
            'hsm',
            'this node has one HSM: when it fails, the node is out until it is enrolled anew',
            'provision a second one and add it to hsm in node.yaml (docs/hsm.md)',
          ),
    ]),
    check('HSM health', status, healthFindings),
    check('seals of the store key', storeKey, (facts) => storeKeyFindings(dir, facts)),
    check('seals of the records', hsms, (found) => sealFindings(dir, found)),
    check('backup settings', custodians, (count) => [
      count > 0
        ? undefined
        : finding(
            'BACKUP_NOT_SET',
            'backup',
            'no backups can be made, because node.yaml names no custodians',
            'backup: { custodians: [...], required: 2 } in node.yaml (docs/operations.md, "Backups")',
          ),
    ]),
    check('backups', status, ({ keys }) => backupFindings(dir, keys)),
  ]
}
