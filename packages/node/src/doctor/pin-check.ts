import type { HsmInspection, InspectedPin, InspectedToken, PinSource } from '@conclave/vault'
import type { FileFacts } from './file-check.ts'
import { type CheckResult, check, type Finding, finding, type Known, known, unknown } from './finding.ts'

export interface PinFacts {
  readonly hsm: string
  readonly token: string
  readonly serial: string | undefined
  readonly source: PinSource
  /** Of a source that is a file: the file and the directory around it, undefined when they are not there. */
  readonly file: FileFacts | undefined
  readonly directory: FileFacts | undefined
  /** Of the node's directory. */
  readonly ownerUid: number
}

const CHANGE = "change it with the vendor's tool (e.g. pkcs11-tool --login --change-pin), and write the new one into its source"

function sourceFindings({ hsm, source, file, directory, ownerUid }: PinFacts): readonly (Finding | undefined)[] {
  if ('env' in source) {
    const line = `hsm[${hsm}].pin: { file: pin } or { credential: hsm-pin } in node.yaml`
    return [
      finding('PIN_IN_ENVIRONMENT', hsm, `the PIN comes from the variable ${source.env}: /proc shows it for the life of the process`, line),
    ]
  }
  if (!('file' in source)) return []
  const path = source.file
  if (file === undefined)
    return [
      finding(
        'PIN_SOURCE',
        hsm,
        `the PIN file ${path} does not exist`,
        `put it back with mode 0400, or correct hsm[${hsm}].pin in node.yaml`,
      ),
    ]
  const bits = (mode: number) => `mode ${mode.toString(8).padStart(4, '0')}`
  return [
    (file.mode & 0o077) !== 0
      ? finding('PIN_FILE_MODE', hsm, `others may use the PIN file ${path} (${bits(file.mode)}); the node refuses it`, `chmod 0400 ${path}`)
      : undefined,
    file.uid !== ownerUid && file.uid !== 0
      ? finding('PIN_SOURCE', hsm, `the PIN file ${path} belongs to user ${file.uid}`, `chown ${ownerUid} ${path}`)
      : undefined,
    ...directoryFindings(hsm, directory),
  ]
}

function directoryFindings(hsm: string, directory: FileFacts | undefined): readonly (Finding | undefined)[] {
  if (directory === undefined) return []
  const { path, mode } = directory
  // In a sticky directory nobody replaces what is not theirs.
  const writable = (mode & 0o022) !== 0 && (mode & 0o1000) === 0
  if (writable)
    return [finding('PIN_DIRECTORY_WRITABLE', hsm, `others may replace the PIN file: ${path} is writable by others`, `chmod go-w ${path}`)]
  if ((mode & 0o055) === 0) return []
  return [
    finding(
      'PIN_DIRECTORY_READABLE',
      hsm,
      `others may look into ${path}, where the PIN file lies`,
      `chmod 0700 ${path}, if nothing else needs it`,
    ),
  ]
}

function qualityFindings({ hsm }: PinFacts, pin: InspectedPin, mode: FileFacts | undefined): readonly (Finding | undefined)[] {
  const exposed = mode !== undefined && (mode.mode & 0o077) !== 0
  return [
    // What the mode of the file explains is said once.
    pin.refusal !== undefined && !exposed
      ? finding('PIN_SOURCE', hsm, pin.refusal, `correct hsm[${hsm}].pin in node.yaml, or the file`)
      : undefined,
    pin.isDefault ? finding('PIN_DEFAULT', hsm, 'the PIN is one that anybody tries first', CHANGE) : undefined,
    pin.isShort && !pin.isDefault ? finding('PIN_SHORT', hsm, 'the PIN has fewer than 8 characters', CHANGE) : undefined,
    pin.isOneClass && !pin.isDefault
      ? finding('PIN_ONE_CLASS', hsm, 'the PIN has characters of one kind only, and fewer than 16', CHANGE)
      : undefined,
    pin.isSoPin === true
      ? finding('PIN_IS_SO_PIN', hsm, "the user PIN is the security officer's PIN as well: two roles, one secret", CHANGE)
      : undefined,
    ...pin.heldBy.map((file) => heldFinding(hsm, file)),
  ]
}

/** @param file - one of those that were searched, or what /proc shows of a process. */
function heldFinding(hsm: string, file: string): Finding {
  if (file.startsWith('/proc/')) {
    const what = file.endsWith('/cmdline') ? 'command line' : 'environment'
    return finding(
      'PIN_IN_ENVIRONMENT',
      hsm,
      `the PIN stands in the ${what} of a process (${file})`,
      `hsm[${hsm}].pin: { file: pin } in node.yaml, start it without the PIN, and change the PIN`,
    )
  }
  return finding('PIN_IN_FILE', file, `the PIN of hsm "${hsm}" stands in this file`, `take it out of ${file}, and change the PIN`)
}

function tokenFindings({ hsm }: PinFacts, { locked, finalTry, countLow }: InspectedToken): readonly (Finding | undefined)[] {
  const right = 'make sure that the PIN source has the right PIN, then'
  if (locked) return [finding('PIN_LOCKED', hsm, 'the user PIN is locked', "have the security officer unlock it with the vendor's tool")]
  if (finalTry)
    return [
      finding(
        'PIN_FINAL_TRY',
        hsm,
        'one wrong PIN would lock the token; nobody logged in',
        `${right} log in once by hand (conclave hsm unlock)`,
      ),
    ]
  if (countLow)
    return [finding('PIN_COUNT_LOW', hsm, 'the token counts a wrong PIN since the last login; nobody logged in', `${right} start the node`)]
  return []
}

function loginFindings({ hsm }: PinFacts, { keys }: HsmInspection): readonly (Finding | undefined)[] {
  if (keys.ok) return []
  if (keys.code === 'PIN_INCORRECT')
    return [
      finding(
        'PIN_INCORRECT',
        hsm,
        'the token refused the PIN; it was tried once',
        'put the right PIN into its source, and do not run this again before',
      ),
    ]
  if (keys.code === 'PIN_LOCKED')
    return [finding('PIN_LOCKED', hsm, keys.why, "have the security officer unlock it with the vendor's tool")]
  return []
}

/** Where the PIN of one HSM comes from, how good it is, and whether the token takes it. */
export function checkPin(facts: PinFacts, inspection: Known<HsmInspection>): readonly CheckResult[] {
  const { hsm } = facts
  const pin = !inspection.known
    ? inspection
    : inspection.value.pin.ok
      ? known(inspection.value.pin.value)
      : unknown(inspection.value.pin.why)
  const token = inspection.known
    ? inspection.value.tokens.find((t) => t.label === facts.token && (facts.serial === undefined || t.serial === facts.serial))
    : undefined
  const login =
    !inspection.known || inspection.value.keys.ok || inspection.value.keys.code !== 'NOT_TRIED'
      ? inspection
      : unknown(inspection.value.keys.why)
  return [
    check(`PIN source (${hsm})`, known(facts), sourceFindings),
    check(`PIN quality (${hsm})`, pin, (found) => qualityFindings(facts, found, facts.file)),
    check(`PIN counter (${hsm})`, token === undefined ? unknown('the token was not found') : known(token), (found) =>
      tokenFindings(facts, found),
    ),
    check(`login (${hsm})`, login, (found) => loginFindings(facts, found)),
  ]
}

export interface PinSet {
  /** By HSM; those that could be read. */
  readonly fingerprints: ReadonlyMap<string, string>
  /** PINs of security officers that still lie about. */
  readonly soPinFiles: readonly FileFacts[]
}

/** What PINs have to do with each other, and with where they should not be. */
export function checkPins({ fingerprints, soPinFiles }: PinSet): readonly CheckResult[] {
  const groups = Map.groupBy(fingerprints.keys(), (hsm) => fingerprints.get(hsm) ?? '')
  const shared = [...groups.values()].filter((g) => g.length > 1)
  return [
    check('PINs of several tokens', fingerprints.size > 0 ? known(shared) : unknown('no PIN could be read'), (found) =>
      found.map((g) => finding('PIN_SHARED', g.join(', '), 'these tokens have one PIN: whoever learns it has them all', CHANGE)),
    ),
    check('PIN of the security officer', known(soPinFiles), (files) =>
      files.map(({ path }) =>
        finding(
          'SO_PIN_PRESENT',
          path,
          'the PIN of the security officer, who can set a new user PIN, lies on this machine',
          `move ${path} to a place that this machine cannot reach`,
        ),
      ),
    ),
  ]
}
