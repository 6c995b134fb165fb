import { parseCheckpoint, parseNote } from '@conclave/audit'
import { toHex } from '@conclave/core'
import type { NodeAudit } from './node-audit.ts'

/** A log of another node as this node knows it. */
export interface AdminWitnessedLog {
  readonly node: string
  readonly size: number
  readonly root: string
  /** The checkpoint that this node has cosigned last, as the log signed it. */
  readonly checkpoint: string
  /** The first one that it has refused since. */
  readonly conflict: { readonly checkpoint: string; readonly at: string } | null
}

const textOf = (note: Uint8Array): string => new TextDecoder().decode(note)

/** What the operator may ask about logs. */
export class AuditAdmin {
  readonly #audit: NodeAudit

  constructor(audit: NodeAudit) {
    this.#audit = audit
  }

  /** @throws {StoreError} */
  async witnessed(): Promise<readonly AdminWitnessedLog[]> {
    return (await this.#audit.witnessed()).map(({ node, checkpoint, conflict }) => {
      const { size, root } = parseCheckpoint(parseNote(checkpoint).text)
      const refused = conflict === undefined ? null : { checkpoint: textOf(conflict.checkpoint), at: new Date(conflict.atMs).toISOString() }
      return { node, size, root: toHex(root), checkpoint: textOf(checkpoint), conflict: refused }
    })
  }

  /** @throws what {@link NodeAudit.forget} throws. */
  async forget(name: string, reason: string): Promise<readonly AdminWitnessedLog[]> {
    await this.#audit.forget(name, reason)
    return this.witnessed()
  }
}
