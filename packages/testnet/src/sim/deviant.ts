import type { PartyId } from '@conclave/core'
import type { FromWorker, ToWorker } from '@conclave/node'
import { decode, encode, Frame, type SessionMessage } from '@conclave/wire'
import { answers, gossip } from './deviant-control.ts'
import { rewriteCorrelate, rewriteDeal, rewriteSign } from './deviant-messages.ts'
import { falseStock } from './deviant-pool.ts'
import type { Dice } from './dice.ts'
import type { Outlet, Parcel } from './sim-network.ts'
import type { SimNode } from './sim-node.ts'
import { splitRunner } from './split-runner.ts'
import type { FaultKind } from './trace.ts'
import type { World } from './world.ts'

export const DEVIATIONS = [
  'equivocate',
  'wrong-share',
  'wrong-degree',
  'withheld-ready',
  'replay',
  'split-view',
  'selective-abort',
  'forged-sender',
  'corrupt',
  'cheat-ot',
  'false-stock',
  'forged-gossip',
  'false-answer',
] as const satisfies readonly FaultKind[]
export type Deviation = (typeof DEVIATIONS)[number]

/** What a plug-in knows of the node that it has turned. */
export interface Turned {
  readonly world: World
  readonly node: SimNode
  readonly dice: Dice
  /** Kinds of the node's sessions, by id in hex. */
  readonly sessions: ReadonlyMap<string, string>
  /** Counts an act. */
  did(what: string): void
}

/** What leaves in the place of one frame; undefined leaves it as it is. */
export type Rewrite = (to: string, body: Frame['body']) => readonly { readonly to: string; readonly body: Frame['body'] }[] | undefined

const KEPT_MAX = 40
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const partyOf = (name: string): PartyId | undefined => (name.startsWith('n') ? Number.parseInt(name.slice(1), 10) : undefined)

/** A session's messages, changed by kind, round and receiver. */
function sessionRewrite(turned: Turned, change: (m: SessionMessage, kind: string, to: PartyId) => SessionMessage | undefined): Rewrite {
  return (to, body) => {
    const party = partyOf(to)
    if (!('session' in body) || party === undefined) return undefined
    const kind = turned.sessions.get(hex(body.session.sessionId))
    const changed = kind === undefined ? undefined : change(body.session, kind, party)
    return changed === undefined ? undefined : [{ to, body: { session: changed } }]
  }
}

/** The same for one session and one peer, whenever it is asked: a plug-in picks its victims once. */
function isVictim({ world, node }: Turned, id: Uint8Array, to: PartyId): boolean {
  const peers = world.nodes.length - 1
  return ((id[0] as number) + (id[1] as number) * to + node.index) % Math.max(2, Math.ceil(peers / 2)) === 0
}

function byMessage(turned: Turned, rewrite: (kind: string, round: number, body: Uint8Array) => Uint8Array | undefined): Rewrite {
  return sessionRewrite(turned, (m, kind, to) => {
    if (!isVictim(turned, m.sessionId, to)) return undefined
    const body = rewrite(kind, m.round, m.body)
    if (body === undefined) return undefined
    turned.did(`${kind} round ${m.round} to ${to}`)
    return { ...m, body }
  })
}

function corrupt(turned: Turned): Rewrite {
  const { dice } = turned
  return sessionRewrite(turned, (m, kind, to) => {
    if (!dice.chance(0.08)) return undefined
    turned.did(`${kind} round ${m.round} to ${to}`)
    const body = Uint8Array.from(m.body)
    const at = dice.between(0, body.length - 1)
    body[at] = (body[at] as number) ^ (1 << dice.between(0, 7))
    return { ...m, body }
  })
}

function forgedSender(turned: Turned): Rewrite {
  const { dice, world, node } = turned
  return (to, body) => {
    if (!dice.chance(0.2) || !('session' in body || 'end' in body)) return undefined
    const from = dice.pick(world.lock.nodes.filter((m) => m.index !== node.index)).index
    turned.did(`as ${from} to ${to}`)
    const forged = 'session' in body ? { session: { ...body.session, from } } : { end: { ...body.end, from } }
    return dice.chance(0.5)
      ? [{ to, body: forged }]
      : [
          { to, body: forged },
          { to, body },
        ]
  }
}

/** Old frames again, to anybody; or an old body as if it belonged to this session. */
function replay(turned: Turned): Rewrite {
  const { dice, world, node } = turned
  const kept: Frame['body'][] = []
  return (to, body) => {
    const old = kept.length === 0 ? undefined : dice.pick(kept)
    if ('session' in body || 'gossip' in body || 'end' in body) kept.push(body)
    if (kept.length > KEPT_MAX) kept.shift()
    if (old === undefined || partyOf(to) === undefined || !dice.chance(0.2)) return undefined
    turned.did(`to ${to}`)
    if ('session' in old && 'session' in body && dice.chance(0.5))
      return [
        { to, body: { session: { ...body.session, body: old.session.body } } },
        { to, body },
      ]
    const anybody = dice.pick(world.lock.nodes.filter((m) => m.index !== node.index)).name
    return [
      { to, body },
      { to: anybody, body: old },
    ]
  }
}

/** Takes part until a round, then tells some that it stopped and goes silent. */
function selectiveAbort(turned: Turned): Rewrite {
  return (to, body) => {
    const party = partyOf(to)
    if (!('session' in body) || party === undefined) return undefined
    const { sessionId, from, round } = body.session
    const last = (sessionId[2] as number) % 5
    if (round <= last || !isVictim(turned, sessionId, party)) return undefined
    turned.did(`round ${round} to ${to}`)
    return (sessionId[3] as number) % 2 === 0 ? [] : [{ to, body: { end: { sessionId, from, code: 'PEER_LOST' } } }]
  }
}

function withheldReady(turned: Turned): Rewrite {
  const told = turned.world.lock.nodes.filter((m) => m.index !== turned.node.index && turned.dice.chance(0.4)).map((m) => m.name)
  return (to, body) => {
    if (told.includes(to) || partyOf(to) === undefined) return undefined
    const isReady = 'session' in body && turned.sessions.get(hex(body.session.sessionId)) === 'deal' && body.session.round === 4
    if (!('gossip' in body) && !isReady) return undefined
    turned.did(`to ${to}`)
    return []
  }
}

function rewriteOf(deviation: Deviation, turned: Turned): Rewrite | undefined {
  const { dice } = turned
  switch (deviation) {
    case 'equivocate':
    case 'wrong-degree':
      return byMessage(turned, (kind, round, body) =>
        kind === 'sign' ? rewriteSign(deviation, round, body, dice) : rewriteDeal(deviation, kind, round, body, dice),
      )
    case 'wrong-share':
      return byMessage(turned, (kind, round, body) =>
        kind === 'sign' ? rewriteSign(deviation, round, body, dice) : rewriteDeal(deviation, kind, round, body, dice),
      )
    case 'cheat-ot':
      return byMessage(turned, (kind, round, body) =>
        kind === 'sign'
          ? rewriteSign(deviation, round, body, dice)
          : kind === 'correlate'
            ? rewriteCorrelate(round, body, dice)
            : undefined,
      )
    case 'false-stock':
      return falseStock(turned)
    case 'withheld-ready':
      return withheldReady(turned)
    case 'replay':
      return replay(turned)
    case 'selective-abort':
      return selectiveAbort(turned)
    case 'forged-sender':
      return forgedSender(turned)
    case 'corrupt':
      return corrupt(turned)
    case 'forged-gossip':
      return gossip(turned)
    case 'false-answer':
      return answers(turned)
    case 'split-view':
      return undefined
  }
}

const outletOf =
  (rewrites: readonly Rewrite[]): Outlet =>
  (to, frame) => {
    let bodies = [{ to, body: decode(Frame, frame).body }]
    for (const rewrite of rewrites) bodies = bodies.flatMap((b) => rewrite(b.to, b.body) ?? [b])
    return bodies.map((b): Parcel => ({ to: b.to, frame: encode(Frame, { body: b.body }), delayMs: 0 }))
  }

/** Turns a node: from now on nothing is expected of it, and it does what the deviations say. */
export function turn(world: World, party: PartyId, deviations: readonly Deviation[]): void {
  const node = world.node(party)
  world.byzantine.add(node.name)
  const sessions = new Map<string, string>()
  world.watch({
    worker: (of: SimNode, message: ToWorker | FromWorker) => {
      if (of === node && message.type === 'start') sessions.set(message.id, message.job.kind)
    },
  })
  const turned = (deviation: Deviation): Turned => ({
    ...{ world, node, sessions, dice: world.dice.fork(`${node.name} ${deviation}`) },
    did: (what) => world.trace.fault(deviation, `${node.name} ${what}`),
  })
  const rewrites = deviations.flatMap((d) => rewriteOf(d, turned(d)) ?? [])
  if (rewrites.length > 0) world.network.outlets.set(node.name, outletOf(rewrites))
  if (deviations.includes('split-view')) node.runner = splitRunner(turned('split-view'))
}
