export type Severity = 'critical' | 'warning' | 'info'

/**
 * Every code that a finding can have. Codes are stable, and one code has one severity: docs/doctor.md explains each.
 *
 * Critical: the node does not work, or its secrets are in reach of somebody else. Warning: it works, and one more fault is one too
 * many. Info: nothing has to be done.
 */
export const SEVERITIES = {
  // settings, policy, lock
  SETTINGS_INVALID: 'critical',
  POLICY_INVALID: 'critical',
  POLICY_DENIES_ALL: 'info',
  POLICY_NO_AUTHORS: 'info',
  REQUESTS_UNSIGNED: 'warning',
  CHECKPOINTS_NOT_PQ: 'warning',
  LOCK_MISSING: 'critical',
  LOCK_INVALID: 'critical',
  LOCK_UNSIGNED: 'critical',
  LOCK_NOT_LOADED: 'warning',
  NOT_A_MEMBER: 'critical',
  WRONG_IDENTITY: 'critical',
  // module and token
  MODULE_MISSING: 'critical',
  MODULE_ARCHITECTURE: 'critical',
  MODULE_NOT_LOADABLE: 'critical',
  MODULE_CRASHED: 'critical',
  MODULE_HANGS: 'critical',
  SOFTHSM_CONFIG: 'critical',
  SOFTHSM_OLD: 'warning',
  SOFTHSM_IN_USE: 'info',
  TOKEN_MISSING: 'critical',
  TOKEN_OTHER_SERIAL: 'critical',
  TOKEN_AMBIGUOUS: 'critical',
  TOKEN_NOT_INITIALISED: 'critical',
  SERIAL_NOT_SET: 'warning',
  KEK_MISSING: 'critical',
  KEK_AMBIGUOUS: 'critical',
  KEK_SEVERAL: 'info',
  IDENTITY_MISSING: 'critical',
  IDENTITY_AMBIGUOUS: 'critical',
  // PIN
  PIN_SOURCE: 'critical',
  PIN_DEFAULT: 'critical',
  PIN_SHORT: 'warning',
  PIN_ONE_CLASS: 'warning',
  PIN_IS_SO_PIN: 'critical',
  PIN_SHARED: 'warning',
  PIN_FILE_MODE: 'critical',
  PIN_DIRECTORY_WRITABLE: 'critical',
  PIN_DIRECTORY_READABLE: 'info',
  PIN_IN_FILE: 'critical',
  PIN_IN_SETTINGS: 'critical',
  PIN_IN_ENVIRONMENT: 'warning',
  PIN_INCORRECT: 'critical',
  PIN_LOCKED: 'critical',
  PIN_FINAL_TRY: 'critical',
  PIN_COUNT_LOW: 'warning',
  SO_PIN_PRESENT: 'warning',
  // keys
  KEY_EXTRACTABLE: 'critical',
  KEY_IMPORTED: 'warning',
  KEY_COPYABLE: 'warning',
  KEK_MANY_USES: 'warning',
  TOKEN_LEAKS_KEYS: 'warning',
  // redundancy
  ONE_HSM: 'warning',
  HSM_DOWN: 'warning',
  HSMS_DOWN: 'critical',
  SEALS_MISSING: 'warning',
  BACKUP_NOT_SET: 'warning',
  BACKUP_MISSING: 'warning',
  // one token for two
  TOKEN_SHARED: 'critical',
  HSMS_SHARE_TOKEN: 'critical',
  PEER_SHARES_TOKEN: 'critical',
  // clock
  CLOCK_OFFSET: 'warning',
  CLOCK_FAR: 'critical',
  PEER_CLOCK_OFFSET: 'warning',
  PEER_CLOCK_FAR: 'critical',
  CLOCK_NOT_SYNCHRONISED: 'warning',
  // network
  LISTEN_IN_USE: 'critical',
  LISTEN_NOT_LOCAL: 'critical',
  LOCK_PORT: 'warning',
  PEER_UNREACHABLE: 'warning',
  LINK_DOWN: 'warning',
  QUORUM_OUT_OF_REACH: 'critical',
  // disk
  DISK_FULL: 'critical',
  DISK_LOW: 'warning',
  DISK_READ_ONLY: 'critical',
  FSYNC_FAILS: 'critical',
  STORE_MISSING: 'critical',
  STORE_ON_TMPFS: 'critical',
  STORE_ON_NETWORK: 'warning',
  FILE_WRITABLE: 'critical',
  FILE_READABLE: 'warning',
  FILE_OWNER: 'warning',
  // versions
  RUNTIME_OLD: 'critical',
  PEER_VERSION: 'warning',
  PEER_PROTOCOL: 'critical',
  PEER_LOCK: 'critical',
  RESTART_NEEDED: 'info',
  // what the running node holds
  PAIR_BURNED: 'critical',
  PAIR_MISSING: 'info',
  POOL_EMPTY: 'warning',
  KEY_STALE: 'warning',
  KEY_KEEPS_OLD: 'info',
  // process
  NODE_SILENT: 'critical',
  ADMIN_SOCKET_MODE: 'critical',
  SESSION_KEYS_DUMPED: 'critical',
  DEBUGGER_OPEN: 'critical',
  CORE_DUMPS: 'warning',
  SWAP_IN_CLEAR: 'info',
  RUNS_AS_ROOT: 'info',
} as const satisfies Record<string, Severity>

export type Code = keyof typeof SEVERITIES

export interface Finding {
  readonly code: Code
  readonly severity: Severity
  /** What it is about: a file, an HSM, a peer, a key. */
  readonly subject: string
  /** One line. */
  readonly message: string
  /** The command or settings line that fixes it, or the one thing to do. */
  readonly fix: string
}

/** What came of one check: findings, or why it could not run. */
export type CheckResult =
  | { readonly check: string; readonly findings: readonly Finding[] }
  | { readonly check: string; readonly why: string }

/** Something that was gathered, or why it was not. */
export type Known<T> = { readonly known: true; readonly value: T } | { readonly known: false; readonly why: string }

const LINE_MAX = 400

/** Peers and modules have a say in some lines, and people read them in terminals. */
const oneLine = (text: string): string => {
  const clean = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim()
  return clean.length > LINE_MAX ? `${clean.slice(0, LINE_MAX)}...` : clean
}

export function finding(code: Code, subject: string, message: string, fix: string): Finding {
  return { code, severity: SEVERITIES[code], subject: oneLine(subject), message: oneLine(message), fix: oneLine(fix) }
}

/** Runs a check on what was gathered; without it the check is skipped, by name. */
export function check<T>(name: string, fact: Known<T>, judge: (value: T) => readonly (Finding | undefined)[]): CheckResult {
  if (!fact.known) return { check: name, why: oneLine(fact.why) }
  return { check: name, findings: judge(fact.value).filter((f) => f !== undefined) }
}

export const known = <T>(value: T): Known<T> => ({ known: true, value })
export const unknown = (why: string): { readonly known: false; readonly why: string } => ({ known: false, why })

/** Both, or why not the first that is missing. */
export function both<A, B>(a: Known<A>, b: Known<B>): Known<readonly [A, B]> {
  if (!a.known) return a
  return b.known ? known([a.value, b.value] as const) : b
}

export interface Report {
  /** The worst first. */
  readonly findings: readonly Finding[]
  readonly checked: readonly string[]
  readonly skipped: readonly { readonly check: string; readonly why: string }[]
}

const RANK: Readonly<Record<Severity, number>> = { critical: 0, warning: 1, info: 2 }

/** One report of all results; findings that say the same of the same thing come once. */
export function reportOf(results: readonly CheckResult[]): Report {
  const all = results.flatMap((r) => ('findings' in r ? r.findings : []))
  const once = new Map(all.map((f) => [JSON.stringify(f), f]))
  return {
    findings: [...once.values()].sort((a, b) => RANK[a.severity] - RANK[b.severity]),
    checked: results.flatMap((r) => ('findings' in r ? [r.check] : [])),
    skipped: results.flatMap((r) => ('why' in r ? [{ check: r.check, why: r.why }] : [])),
  }
}

/** 0: nothing above info, 1: warnings, 2: something critical. */
export function exitCodeOf({ findings }: Report): 0 | 1 | 2 {
  if (findings.some((f) => f.severity === 'critical')) return 2
  return findings.some((f) => f.severity === 'warning') ? 1 : 0
}
