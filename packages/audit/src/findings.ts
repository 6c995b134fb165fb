import { codeOf, messageOf } from '@conclave/core'

/** Something about a log that is not as it must be. */
export interface Finding {
  /**
   * MISSING, TILE_MISMATCH, ROOT_MISMATCH, TRUNCATED, FORKED, STALE_CHECKPOINT, BAD_ENTRY, FOREIGN_ENTRY, UNEXPECTED_FILE, TORN_TAIL, NO_CHECKPOINT, and
   * the codes of {AuditError}.
   */
  readonly code: string
  /** File, or entry. */
  readonly where: string
  readonly message: string
}

/** More say nothing new. */
export const FINDINGS_MAX = 100

/** A bounded list of findings. */
export class Findings {
  readonly list: Finding[] = []

  get isFull(): boolean {
    return this.list.length >= FINDINGS_MAX
  }

  add(code: string, where: string, message: string): void {
    if (!this.isFull) this.list.push({ code, where, message })
  }

  /** Does something; what it throws becomes a finding. */
  async attempt<T>(where: string, act: () => Promise<T> | T): Promise<T | undefined> {
    try {
      return await act()
    } catch (error) {
      this.add(codeOf(error), where, messageOf(error))
      return undefined
    }
  }
}
