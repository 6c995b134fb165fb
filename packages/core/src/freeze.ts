import { utf8 } from './bytes.ts'
import { type DerivationPath, formatPath, parsePath } from './derivation.ts'
import { InvalidArgument } from './errors.ts'
import { tagged } from './hash.ts'
import { parseKeyId } from './ids.ts'
import { u64 } from './signed-request.ts'

/** What a freeze stops: every key, one key, or a child of it with everything below. */
export type FreezeScope =
  | { readonly kind: 'cluster' }
  | { readonly kind: 'key'; readonly keyId: string }
  | { readonly kind: 'child'; readonly keyId: string; readonly path: DerivationPath }

export const FREEZE_SCOPE_CHARS_MAX = 192

/** What is signed to freeze. */
export interface FreezeWord {
  /** As {@link formatFreezeScope} writes it. */
  readonly scope: string
  readonly reason: string
  /** `node:` and the name of a node, or `approver:` and the id of an approver. */
  readonly by: string
  readonly atMs: number
}

/** What a node signs to lift one freeze. */
export interface ThawWord {
  /** Id of the freeze: 32 bytes. */
  readonly freeze: Uint8Array
  /** Name of the node. */
  readonly node: string
  readonly reason: string
  readonly atMs: number
}

/** `cluster`, `key:ID`, or `child:ID/m/0/5`. @throws {InvalidArgument} BAD_SCOPE. */
export function parseFreezeScope(text: string): FreezeScope {
  try {
    if (text === 'cluster') return { kind: 'cluster' }
    if (text.startsWith('key:')) return { kind: 'key', keyId: parseKeyId(text.slice(4)) }
    const [, keyId = '', path = ''] = /^child:([^/]+)\/(m\/.+)$/.exec(text) ?? []
    const scope: FreezeScope = { kind: 'child', keyId: parseKeyId(keyId), path: parsePath(path) }
    if (formatFreezeScope(scope) === text) return scope
  } catch {
    // Which part is wrong, the message below tells as well as the cause.
  }
  throw new InvalidArgument('BAD_SCOPE', 'a scope is "cluster", "key:ID" or "child:ID/m/0/5"')
}

export function formatFreezeScope(scope: FreezeScope): string {
  if (scope.kind === 'cluster') return 'cluster'
  return scope.kind === 'key' ? `key:${scope.keyId}` : `child:${scope.keyId}/${formatPath(scope.path)}`
}

/** Whether a signature of this key at one of these paths is stopped. */
export function isFrozen(scope: FreezeScope, keyId: string, paths: readonly DerivationPath[]): boolean {
  if (scope.kind === 'cluster') return true
  if (scope.keyId !== keyId) return false
  return scope.kind === 'key' || paths.some((path) => scope.path.every((level, i) => path[i] === level))
}

/** What is signed, and the id of the freeze: 32 bytes. */
export function freezeHash(clusterId: Uint8Array, { scope, reason, by, atMs }: FreezeWord): Uint8Array {
  return tagged('freeze', clusterId, utf8(scope), utf8(reason), utf8(by), u64(atMs))
}

/** What is signed to lift it: 32 bytes. */
export function thawHash(clusterId: Uint8Array, { freeze, node, reason, atMs }: ThawWord): Uint8Array {
  return tagged('thaw', clusterId, freeze, utf8(node), utf8(reason), u64(atMs))
}
