import type { ClusterLock, PartyId } from '@conclave/core'
import { type Erasure, readErasure, verifyErasure } from '@conclave/core/erasure'
import type { ClusterView, Report } from './cluster-view.ts'
import type { KeyBody } from './key-schemas.ts'
import type { KeyRecord } from './records.ts'

const PHASE = /^[a-z]{1,32}$/
const IN_USE = 'active'

/** What the nodes of a key have made of it, as far as they have said so. */
export type KeyLife = Pick<KeyBody, 'phases' | 'erasure'>

/** Whether a node reports that its operator lets it sign with this key; also when it has reported nothing. */
export function isInUse(view: ClusterView, node: PartyId, keyId: string): boolean {
  const share = view.report(node)?.status.keys.find((k) => k.keyId === keyId)
  return share === undefined || share.phase === IN_USE
}

/** Reads what nodes say of phases and erasures. An erasure counts when its node has signed it with the identity of the lock. */
export class KeyLives {
  readonly #lock: ClusterLock
  readonly #view: ClusterView
  /** Of each report, read once, by key. */
  readonly #read = new WeakMap<Report, ReadonlyMap<string, Erasure>>()

  constructor(lock: ClusterLock, view: ClusterView) {
    this.#lock = lock
    this.#view = view
  }

  of(key: KeyRecord): KeyLife {
    const { keyId, parties, threshold } = key
    const erased = parties.filter((j) => this.#hasErased(j, key))
    const phases = parties.flatMap((node) => {
      if (erased.includes(node)) return [{ node, phase: 'destroyed' }]
      const phase = this.#view.report(node)?.status.keys.find((k) => k.keyId === keyId)?.phase
      return phase === undefined || phase === IN_USE || !PHASE.test(phase) ? [] : [{ node, phase }]
    })
    if (erased.length === 0) return { phases, erasure: null }
    const left = parties.length - erased.length
    return { phases, erasure: { erasedBy: erased, sharesLeftMax: left, belowThreshold: left < threshold } }
  }

  #hasErased(node: PartyId, { keyId, publicKey }: KeyRecord): boolean {
    const member = this.#lock.nodes.find((n) => n.index === node)
    const report = this.#view.report(node)
    const erasure = report === undefined ? undefined : this.#erasuresIn(report).get(keyId)
    if (member === undefined || erasure === undefined || erasure.node !== member.name || erasure.publicKey !== publicKey) return false
    // An HSM that was left out may still open an older copy of the share.
    if (erasure.kek.without.length > 0) return false
    try {
      verifyErasure(this.#lock, erasure)
      return true
    } catch {
      // Not signed by this node, so it says nothing.
      return false
    }
  }

  #erasuresIn(report: Report): ReadonlyMap<string, Erasure> {
    const known = this.#read.get(report)
    if (known !== undefined) return known
    const erasures = new Map<string, Erasure>()
    for (const bytes of report.status.erasures) {
      try {
        const erasure = readErasure(new TextDecoder().decode(bytes))
        erasures.set(erasure.keyId, erasure)
      } catch {
        // What is no record says nothing.
      }
    }
    this.#read.set(report, erasures)
    return erasures
  }
}
