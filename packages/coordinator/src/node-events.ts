import { codeOf, type Member, messageOf } from '@conclave/core'
import type { TransportEvents } from '@conclave/transport'
import { decode, Frame } from '@conclave/wire'
import type { Logger } from 'pino'
import type { ClusterView } from './cluster-view.ts'
import type { NodeCalls } from './node-calls.ts'

export interface NodeEventsOptions {
  readonly view: ClusterView
  readonly calls: NodeCalls
  readonly logger: Logger
}

/** What the coordinator does with what its links report: only answers of nodes are of interest, and that one leaves. */
export function nodeEvents({ view, calls, logger }: NodeEventsOptions): TransportEvents {
  const note = (from: Member, code: string) => logger.debug({ from: from.name, code }, 'frame ignored')
  return {
    frame(from, frame) {
      if (from.kind !== 'node') return note(from, 'NOT_A_NODE')
      try {
        const { body } = decode(Frame, frame)
        if ('leaving' in body) {
          logger.info({ member: from.name }, 'a node is leaving')
          return view.leaving(from)
        }
        if (!('response' in body)) return note(from, 'NOT_A_RESPONSE')
        if (!calls.answered(from, body.response)) note(from, 'NOT_AWAITED')
      } catch (error) {
        logger.warn({ from: from.name, code: codeOf(error), reason: messageOf(error) }, 'a node sent what is not a frame')
      }
    },
    linkUp(member) {
      logger.info({ member: member.name }, 'link up')
      if (member.kind === 'node') view.linkUp(member)
    },
    linkDown(member, reason) {
      logger.info({ member: member.name, reason }, 'link down')
      if (member.kind !== 'node') return
      // The view first: whoever is woken by a failed call looks there for whom else to ask.
      view.linkDown(member)
      calls.linkDown(member)
    },
  }
}
