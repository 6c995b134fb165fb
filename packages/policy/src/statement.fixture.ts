import { readFileSync } from 'node:fs'
import { fromHex, parsePath } from '@conclave/core'
import type { PlainStatement } from './naive-statement.fixture.ts'
import type { Statement } from './statement.ts'

interface Vectors {
  readonly payloads: readonly { readonly payload: string; readonly hash: string }[]
  readonly summaries: readonly { readonly type: string; readonly lines: readonly (readonly [string, string])[]; readonly hash: string }[]
  readonly statements: readonly {
    readonly name: string
    readonly statement: PlainStatement
    readonly bytes: string
    readonly hash: string
  }[]
}

export const VECTORS = JSON.parse(readFileSync(new URL('../vectors/statement.json', import.meta.url), 'utf8')) as Vectors

/** A statement of the vectors in our own types. */
export function statementOf(plain: PlainStatement): Statement {
  return {
    ...plain,
    clusterId: fromHex(plain.clusterId),
    requestId: fromHex(plain.requestId),
    policyHash: fromHex(plain.policyHash),
    nonce: fromHex(plain.nonce),
    items: plain.items.map((item) => ({
      payloadHash: fromHex(item.payloadHash),
      summaryHash: fromHex(item.summaryHash),
      digests: item.digests.map(({ path, digest }) => ({ path: parsePath(path), digest: fromHex(digest) })),
    })),
  }
}
