import pkcs11, { type Handle, type Mechanism, type Template } from 'pkcs11js'
import type { TokenProbe } from '../probe-report.ts'
import type { Attempts } from './attempts.ts'
import type { Session } from './cryptoki.ts'
import { AgentFault } from './fault.ts'
import { generateSessionKey } from './session-keys.ts'

/** Mechanisms under which C_WrapKey might give out a key: key wraps, CBC and ECB. */
const WRAPPERS: readonly Mechanism[] = [
  { mechanism: 0x2109 },
  { mechanism: 0x210a },
  { mechanism: 0x210b },
  { mechanism: 0x1085, parameter: Buffer.alloc(16) },
  { mechanism: 0x1082, parameter: Buffer.alloc(16) },
  { mechanism: 0x1081 },
]

const WEAKER: Template = [{ type: pkcs11.CKA_EXTRACTABLE, value: true }]

export type Extractability = Pick<TokenProbe, 'extractability' | 'leaks'>

/**
 * Tries to get a key out of the token that was made not to leave it: by reading, copying, weakening and wrapping it.
 *
 * @param keeper - makes the session keys; they go with it.
 */
export function tryExtraction(attempts: Attempts, keeper: Session, offered: readonly number[]): Extractability {
  const target = attempts.try(() => generateSessionKey(keeper, 'none'))
  if (!target.ok) return { extractability: 'not-testable', leaks: [] }
  const key = target.value
  const ways: [string, (session: Session) => unknown][] = [
    ...wrappings(attempts, keeper, key, offered),
    ['C_GetAttributeValue', (session) => requireBytes(session.attribute(key, pkcs11.CKA_VALUE))],
    ['C_CopyObject', (session) => requireWeaker(session, session.copyObject(key, WEAKER))],
    ['C_SetAttributeValue', (session) => setWeaker(session, key)],
  ]
  const leaks = ways.filter(([, act]) => attempts.try(act).ok).map(([name]) => name)
  return { extractability: leaks.length === 0 ? 'enforced' : 'not-enforced', leaks }
}

function wrappings(
  attempts: Attempts,
  keeper: Session,
  key: Handle,
  offered: readonly number[],
): [string, (session: Session) => unknown][] {
  const wrapper = attempts.try(() => generateSessionKey(keeper, 'wrap'))
  if (!wrapper.ok) return []
  return WRAPPERS.filter((m) => offered.includes(m.mechanism)).map((m) => [
    `C_WrapKey with 0x${m.mechanism.toString(16)}`,
    (session) => requireBytes(session.wrapKey(m, wrapper.value, key)),
  ])
}

/** A call that succeeds and gives nothing has let nothing out. */
function requireBytes(bytes: Uint8Array): void {
  if (bytes.length === 0) throw new AgentFault('UNSUPPORTED', 'nothing came out')
}

/** A call that succeeds and leaves the key as strong as it was is no way out. */
function requireWeaker(session: Session, key: Handle): void {
  if (session.attribute(key, pkcs11.CKA_EXTRACTABLE)[0] !== 1) throw new AgentFault('UNSUPPORTED', 'the key is as strong as before')
}

function setWeaker(session: Session, key: Handle): void {
  session.setAttributes(key, WEAKER)
  requireWeaker(session, key)
}
