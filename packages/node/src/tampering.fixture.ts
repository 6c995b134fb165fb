import type { Member } from '@conclave/core'
import type { Transport } from '@conclave/transport'
import { decode, encode, Frame } from '@conclave/wire'

/** What a node does to a frame on its way out: another body, or undefined for silence. */
export type Tamper = (to: Member, body: Frame['body']) => Frame['body'] | undefined

/** A transport whose frames pass through `tamperOf()`, when there is one. */
export function tampering(real: Transport, tamperOf: () => Tamper | undefined): Transport {
  return {
    self: real.self,
    start: (events) => real.start(events),
    links: () => real.links(),
    addresses: () => real.addresses(),
    stop: () => real.stop(),
    send: (to, frame) => {
      const tamper = tamperOf()
      if (tamper === undefined) return real.send(to, frame)
      const body = tamper(to, decode(Frame, frame).body)
      if (body !== undefined) real.send(to, encode(Frame, { body }))
    },
  }
}
