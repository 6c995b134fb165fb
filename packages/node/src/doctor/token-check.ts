import type { HsmInspection, HsmSettings, InspectedKey } from '@conclave/vault'
import { type CheckResult, check, type Finding, finding, type Known, known, unknown } from './finding.ts'

export interface TokenFacts {
  readonly settings: Pick<HsmSettings, 'name' | 'token' | 'serial' | 'kek' | 'module'>
  /** Whether this HSM is the one that holds the node's identity. */
  readonly holdsIdentity: boolean
}

const quoted = (labels: readonly string[]): string => (labels.length === 0 ? 'none' : [...new Set(labels)].map((l) => `"${l}"`).join(', '))

function tokenFindings({ settings }: TokenFacts, { tokens }: HsmInspection): readonly (Finding | undefined)[] {
  const { name, token, serial, module } = settings
  const named = tokens.filter((t) => t.initialised && t.label === token)
  const right = named.filter((t) => serial === undefined || t.serial === serial)
  const [one] = right
  if (named.length === 0) {
    const others = quoted(tokens.filter((t) => t.initialised).map((t) => t.label))
    return [
      finding(
        'TOKEN_MISSING',
        name,
        `no token "${token}" is present; present: ${others}`,
        `connect the device, or set hsm[${name}].token in node.yaml`,
      ),
    ]
  }
  if (one === undefined) {
    const serials = named.map((t) => t.serial).join(', ')
    return [
      finding(
        'TOKEN_OTHER_SERIAL',
        name,
        `"${token}" has serial ${serials}, node.yaml wants ${serial}: it is another token, or was made anew`,
        `connect the right token; only after a ceremony that made a new one: hsm[${name}].serial in node.yaml`,
      ),
    ]
  }
  if (right.length > 1) {
    const serials = right.map((t) => t.serial).join(', ')
    return [
      finding(
        'TOKEN_AMBIGUOUS',
        name,
        `${right.length} tokens are labelled "${token}": ${serials}`,
        `hsm[${name}].serial: ${one.serial} in node.yaml`,
      ),
    ]
  }
  return [
    serial === undefined
      ? finding(
          'SERIAL_NOT_SET',
          name,
          `any token that is labelled "${token}" would be used`,
          `hsm[${name}].serial: ${one.serial} in node.yaml`,
        )
      : undefined,
    one.hasPin
      ? undefined
      : finding(
          'TOKEN_NOT_INITIALISED',
          name,
          `the token "${token}" has no user PIN`,
          `pkcs11-tool --module ${module} --token-label ${token} --init-pin --so-pin ...`,
        ),
  ]
}

function keyFindings({ settings, holdsIdentity }: TokenFacts, keys: readonly InspectedKey[]): readonly (Finding | undefined)[] {
  const { name, kek } = settings
  const keks = keys.filter((k) => k.kind === 'kek')
  const identities = keys.filter((k) => k.kind === 'identity')
  const generations = [...new Set(keks.map((k) => k.generation ?? 1))]
  const newest = keks.filter((k) => (k.generation ?? 1) === Math.max(...generations))
  const chosen = kek?.id === undefined ? newest : keks.filter((k) => k.id === kek.id)
  const ids = newest.map((k) => k.id).join(', ')
  const never = 'connect the token that was provisioned; a KEK is never made anew, because the records are sealed to the old one'
  return [
    chosen.length === 0
      ? finding('KEK_MISSING', name, `the token holds no KEK${kek?.id === undefined ? '' : ` ${kek.id}`}`, never)
      : undefined,
    chosen.length > 1
      ? finding(
          'KEK_AMBIGUOUS',
          name,
          `the token holds ${chosen.length} KEKs of one generation: ${ids}`,
          `hsm[${name}].kek.id in node.yaml, one of ${ids}`,
        )
      : undefined,
    chosen.length === 1 && generations.length > 1
      ? finding(
          'KEK_SEVERAL',
          name,
          `the token holds KEK generations ${generations.join(', ')}: a rotation is not complete`,
          'conclave hsm rotate-kek --dir ... completes it',
        )
      : undefined,
    holdsIdentity && identities.length === 0
      ? finding(
          'IDENTITY_MISSING',
          name,
          "the token holds no identity key, and it is the one that holds this node's",
          'connect the token that was provisioned, or enrol the node anew (docs/operations.md, "Recover a node")',
        )
      : undefined,
    identities.length > 1
      ? finding(
          'IDENTITY_AMBIGUOUS',
          name,
          `the token holds ${identities.length} identity keys`,
          "destroy those that are not in the cluster lock with the vendor's tool",
        )
      : undefined,
  ]
}

const WHAT: Readonly<Record<InspectedKey['kind'], string>> = {
  kek: 'KEK',
  mac: 'HMAC key',
  identity: 'identity key',
  checkpoint: 'checkpoint key',
}

function protectionOf(hsm: string, key: InspectedKey): readonly (Finding | undefined)[] {
  const what = `${WHAT[key.kind]} ${key.id}`
  const anew = 'provision a new token (conclave node init) and have the old one destroyed'
  const isOpen = key.extractable === true || key.sensitive === false
  const trusted = key.wrapWithTrusted === true ? ', by a trusted wrapping key' : ''
  const moves = key.uses.includes('wrap') || key.uses.includes('unwrap')
  return [
    isOpen ? finding('KEY_EXTRACTABLE', hsm, `the ${what} can be taken out of the token${trusted}`, anew) : undefined,
    !isOpen && (key.neverExtractable === false || key.local === false)
      ? finding('KEY_IMPORTED', hsm, `the ${what} was not made inside this token, or could be extracted once: copies may exist`, anew)
      : undefined,
    key.copyable === true ? finding('KEY_COPYABLE', hsm, `the ${what} can be copied within the token`, anew) : undefined,
    key.kind === 'kek' && moves && (key.uses.includes('encrypt') || key.uses.includes('decrypt'))
      ? finding('KEK_MANY_USES', hsm, `the ${what} may both wrap and decrypt: whoever has the PIN can take other keys out with it`, anew)
      : undefined,
  ]
}

function leakFindings({ settings: { name } }: TokenFacts, leaks: readonly string[]): readonly (Finding | undefined)[] {
  if (leaks.length === 0) return []
  const message = `the token gives out keys that must stay inside (${leaks.join(', ')}): whoever has its PIN has its keys`
  return [finding('TOKEN_LEAKS_KEYS', name, message, 'use another device in production (docs/hsm.md, "The probe")')]
}

/** Tokens, their keys and how well they are kept. */
export function checkToken(facts: TokenFacts, inspection: Known<HsmInspection>): readonly CheckResult[] {
  const { name } = facts.settings
  const module = !inspection.known ? inspection : inspection.value.module.ok ? inspection : unknown('the module does not work')
  const part = <T>(
    of: (found: HsmInspection) => { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string },
  ): Known<T> => {
    if (!module.known) return module
    const found = of(module.value)
    return found.ok ? known(found.value) : unknown(found.why)
  }
  return [
    check(`token (${name})`, module, (found) => tokenFindings(facts, found)),
    check(
      `keys (${name})`,
      part((f) => f.keys),
      (keys) => keyFindings(facts, keys),
    ),
    check(
      `key protection (${name})`,
      part((f) => f.keys),
      (keys) => keys.flatMap((k) => protectionOf(name, k)),
    ),
    check(
      `extraction (${name})`,
      part((f) => f.leaks),
      (leaks) => leakFindings(facts, leaks),
    ),
  ]
}
