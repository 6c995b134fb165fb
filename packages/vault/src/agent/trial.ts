import { randomBytes } from 'node:crypto'
import type { Handle } from 'pkcs11js'
import type { ProfileFinding } from '../probe-report.ts'
import { DEK_BYTES, PROFILES, type Profile, type ProfileName, profileOf } from '../profile.ts'
import type { Attempts } from './attempts.ts'
import { AgentFault } from './fault.ts'
import { type Choice, unwrapDek, type Wrapped, wrapDek } from './wrap.ts'

/** Keys to try profiles with; which is used depends on what the profile has its KEK do. */
export interface TrialKeys {
  readonly encrypt: Handle | undefined
  readonly wrap: Handle | undefined
  readonly mac: Handle | undefined
}

/** Everything that a trial needs to know of its token. */
export interface TrialToken {
  readonly attempts: Attempts
  /** Mechanisms on offer; what is not among them is not tried. */
  readonly offered: readonly number[]
  readonly keys: TrialKeys
  /** Whether a key that must not leave the token was found to leave it: then no key that can wrap may exist. */
  readonly leaks: () => boolean
  /** What its KEK was made for, where that shows: no key should serve two modes. */
  readonly madeFor?: ProfileName | undefined
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const out = bytes.slice()
  out[at]! ^= 1
  return out
}

/** Each region of a wrapped key changed at its first and last byte, by name. */
function tampered(profile: Profile, { iv, wrapped }: Wrapped): readonly (readonly [string, Wrapped])[] {
  const cases: (readonly [string, Wrapped])[] = []
  for (const at of iv.length === 0 ? [] : [0, iv.length - 1]) cases.push([`byte ${at} of the IV`, { iv: flipped(iv, at), wrapped }])
  // Key wraps begin with their check, the others end with it.
  const borders = profile.bindsAad ? [0, DEK_BYTES - 1, DEK_BYTES, wrapped.length - 1] : [0, 7, 8, wrapped.length - 1]
  for (const at of borders) cases.push([`byte ${at} of the wrapped key`, { iv, wrapped: flipped(wrapped, at) }])
  return cases
}

/** Why one profile does not work with one mechanism; undefined when it does all that we rely on. */
function refusalOf(token: TrialToken, choice: Choice): string | undefined {
  const { profile, mechanism } = choice
  const { attempts, keys } = token
  const number = `0x${mechanism.toString(16)}`
  if (!token.offered.includes(mechanism)) return `the token does not offer mechanism ${number}`
  const kek = keys[profile.kekUse]
  if (kek === undefined) return `the token has no key that may ${profile.kekUse}`
  if (profile.kekUse === 'wrap' && token.leaks())
    return 'the token lets keys out that it must keep, so that a KEK that can wrap is a way out'

  const [aad, dek] = [randomBytes(32), new Uint8Array(randomBytes(DEK_BYTES))]
  const wrap = () => attempts.try((session) => wrapDek({ session, kek, mac: keys.mac }, choice, aad, dek))
  const unwrap = (wrapped: Wrapped, under: Uint8Array) =>
    attempts.try((session) => unwrapDek({ session, kek, mac: keys.mac }, choice, under, wrapped))
  const [first, second] = [wrap(), wrap()]
  if (!first.ok) return first.reason
  if (!second.ok) return second.reason
  const back = unwrap(first.value, aad)
  if (!back.ok) return `what it wrapped does not unwrap: ${back.reason}`
  if (!Buffer.from(dek).equals(back.value)) return 'it unwraps another key than it wrapped'
  const { iv } = first.value
  if (iv.length > 0) {
    if (Buffer.from(iv).equals(second.value.iv)) return 'it uses one IV twice'
    if (Buffer.from(first.value.wrapped).equals(second.value.wrapped)) return 'it takes no notice of the IV'
  }
  for (const [what, changed] of tampered(profile, first.value))
    if (unwrap(changed, aad).ok) return `it takes no notice of a change of ${what}`
  if (profile.bindsAad && unwrap(first.value, flipped(aad, 0)).ok) return 'it takes no notice of the additional data'
  return undefined
}

/** Tries a profile with each of its mechanisms; the first that works counts. */
export function tryProfile(token: TrialToken, name: ProfileName): ProfileFinding {
  const profile = profileOf(name)
  const reasons: string[] = []
  for (const mechanism of profile.mechanisms) {
    const reason = refusalOf(token, { profile, mechanism })
    if (reason === undefined) return { profile: name, mechanism, reason: undefined }
    reasons.push(profile.mechanisms.length === 1 ? reason : `0x${mechanism.toString(16)}: ${reason}`)
  }
  return { profile: name, mechanism: undefined, reason: reasons.join('; ') }
}

/**
 * The profile that seals.
 *
 * @param wanted - the one that the settings name; without it, the one that the KEK was made for, otherwise the first in order of
 *   preference that works.
 * @throws {AgentFault} UNSUPPORTED with the reason, or all reasons.
 */
export function chooseProfile(token: TrialToken, wanted: ProfileName | undefined): Choice {
  const only = wanted ?? token.madeFor
  const reasons: string[] = []
  for (const { name } of only === undefined ? PROFILES : [profileOf(only)]) {
    const { mechanism, reason } = tryProfile(token, name)
    if (mechanism !== undefined) return { profile: profileOf(name), mechanism }
    reasons.push(`${name}: ${reason}`)
  }
  const what = wanted === undefined ? 'can do none of the wrap profiles' : `cannot do the profile "${wanted}" of the settings`
  throw new AgentFault('UNSUPPORTED', `the token ${what} (${reasons.join('; ')})`, wanted === undefined ? {} : { profile: wanted })
}
