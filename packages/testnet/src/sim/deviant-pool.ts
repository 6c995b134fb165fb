import { CorrelateConfirm, decode, encode, type Frame, SignCommit } from '@conclave/wire'
import type { Rewrite, Turned } from './deviant.ts'

const KEPT_MAX = 20
const NONE = new Uint8Array(0)

type Body = Frame['body']
type Change = (body: Body) => readonly Body[] | undefined

/** Offers entries that were never made, and entries a second time. */
function falseOffers({ dice, sessions }: Turned): Change {
  const offered: Uint8Array[] = []
  return (body) => {
    if (!('session' in body) || body.session.round !== 1) return undefined
    if (sessions.get(Buffer.from(body.session.sessionId).toString('hex')) !== 'sign') return undefined
    const commit = decode(SignCommit, body.session.body)
    const again = offered.length === 0 ? undefined : dice.pick(offered)
    offered.push(...commit.offer)
    if (offered.length > KEPT_MAX) offered.shift()
    // In the place of OT messages, or of what was really taken out of the stock.
    const offer = commit.commitments.map(() => (again !== undefined && dice.chance(0.5) ? again : dice.bytes(32)))
    return [{ session: { ...body.session, body: encode(SignCommit, { ...commit, ots: [], offer }) } }]
  }
}

/** Lies about what it holds, offers a refill again, and agrees to more or less than it was offered. */
function falseRefills({ dice }: Turned): Change {
  const kept: Body[] = []
  const oldest = () => dice.pick([NONE, dice.bytes(32)])
  return (body) => {
    if ('request' in body && 'correlateOffer' in body.request.body) {
      const { id, body: asked } = body.request
      const again = kept.length > 0 && dice.chance(0.5) ? [dice.pick(kept)] : []
      kept.push(body)
      if (kept.length > KEPT_MAX) kept.shift()
      const correlateOffer = { ...asked.correlateOffer, count: dice.between(0, 32), oldest: oldest() }
      return [{ request: { id, traceparent: '', body: { correlateOffer } } }, ...again]
    }
    if ('response' in body && 'correlateAccept' in body.response.body)
      return [{ response: { id: body.response.id, body: { correlateAccept: { count: dice.between(0, 8), oldest: oldest() } } } }]
    return undefined
  }
}

/** Keeps the last message of a refill back, or confirms other names: one end may finish and the other not. */
function falseConfirms({ dice, sessions }: Turned): Change {
  return (body) => {
    if (!('session' in body) || body.session.round !== 3) return undefined
    if (sessions.get(Buffer.from(body.session.sessionId).toString('hex')) !== 'correlate') return undefined
    if (dice.chance(0.5)) return []
    return [{ session: { ...body.session, body: encode(CorrelateConfirm, { names: dice.bytes(32) }) } }]
  }
}

/** Everything that a node can say of its correlation pool and that is not so. */
export function falseStock(turned: Turned): Rewrite {
  const changes = [falseOffers(turned), falseRefills(turned), falseConfirms(turned)]
  return (to, body) => {
    if (!turned.dice.chance(0.6)) return undefined
    for (const change of changes) {
      let bodies: readonly Body[] | undefined
      try {
        bodies = change(body)
      } catch {
        // Another plug-in has made something else of it.
        return undefined
      }
      if (bodies === undefined) continue
      turned.did(`${Object.keys(body)[0]} to ${to}`)
      return bodies.map((b) => ({ to, body: b }))
    }
    return undefined
  }
}
