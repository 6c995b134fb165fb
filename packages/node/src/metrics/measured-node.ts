import type { Readiness } from '@conclave/telemetry'
import type { Leaving } from '../leaving.ts'
import type { NodeParts } from '../node-parts.ts'
import { addGauges, type GaugeSources } from './node-gauges.ts'

export type MeasuredParts = Omit<GaugeSources, Exclude<keyof NodeParts, 'audit'> | 'isDraining'> & {
  readonly parts: NodeParts
  readonly leaving: Leaving
}

export interface MeasuredNode {
  /** Whether the node takes part in signatures now. Asks its HSMs. */
  readiness(): Promise<Readiness>
  stop(): void
}

const notReady = (code: string, detail: string): Readiness => ({ isReady: false, code, detail })

/** Has the metrics of a node, if it has any, follow what it does; tells whether it is ready. */
export function measureNode({ parts, leaving, ...inside }: MeasuredParts): MeasuredNode {
  const { metrics, vault, lock, transport } = parts
  const stop = metrics === undefined ? () => undefined : vault.watch((event) => metrics.vaultEvent(event))
  if (metrics !== undefined) addGauges(metrics, { ...parts, ...inside, isDraining: () => leaving.hasBegun })
  return {
    stop,
    async readiness() {
      if (leaving.hasBegun) return notReady('DRAINING', 'the node is stopping')
      const peersUp = transport.links().filter(({ up, member }) => up && member.kind === 'node').length
      const needed = lock.quorum.required - 1
      if (peersUp < needed) return notReady('PEERS_DOWN', `${peersUp} other nodes are linked and ${needed} are needed`)
      const code = inside.audit.signingCode
      if (code !== '') return notReady(code, 'the audit log keeps the node from signing')
      const hsms = await vault.health()
      if (!hsms.some((h) => h.ok)) return notReady('HSM_DOWN', 'none of its HSMs answers')
      return { isReady: true, code: 'READY', detail: `${peersUp} other nodes are linked` }
    },
  }
}
