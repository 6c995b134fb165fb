import { createHash, timingSafeEqual } from 'node:crypto'
import type { ApiKeySettings, ApiRole } from './settings.ts'

/** Each role may do what the ones before it may. */
const RANK: Readonly<Record<ApiRole, number>> = { viewer: 0, requester: 1, admin: 2 }
const BEARER = /^Bearer ([\x21-\x7e]{1,512})$/i

/** Who is calling: never the key itself. */
export interface Caller {
  readonly name: string
  readonly role: ApiRole
}

/** Finds the caller of an Authorization header. Every configured hash is compared, in constant time. */
export function authenticator(keys: readonly ApiKeySettings[]): (authorization: string | undefined) => Caller | undefined {
  const known = keys.map(({ name, role, sha256 }) => ({ caller: { name, role }, hash: Buffer.from(sha256, 'hex') }))
  return (authorization) => {
    const token = BEARER.exec(authorization ?? '')?.[1]
    if (token === undefined) return undefined
    const hash = createHash('sha256').update(token).digest()
    let found: Caller | undefined
    for (const key of known) if (timingSafeEqual(key.hash, hash)) found = key.caller
    return found
  }
}

export function allows(caller: Caller, needed: ApiRole): boolean {
  return RANK[caller.role] >= RANK[needed]
}
