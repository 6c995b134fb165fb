import { equalBytes, type PartyId, toHex } from '@conclave/core'
import { decode, type NodeStatus, PendingKey, StoredKey } from '@conclave/wire'
import type { Driver } from './driver.ts'
import type { World } from './world.ts'

/** Pairs try again at the latest after a minute, and gossip comes four times in it. */
const SETTLE_MS = 400_000
const POLL_MS = 1_000
const POLL_MAX_MS = 10_000
const STATUS_MS = 5_000

/** What keeps the honest nodes from being at rest, if anything does. */
export function unrest(world: World, statuses: ReadonlyMap<PartyId, NodeStatus>): string | undefined {
  const honest = world.honest.map((node) => node.index)
  const silent = honest.filter((j) => !statuses.has(j))
  if (silent.length > 0) return `party ${silent.join()} does not answer`
  for (const [j, status] of statuses) {
    for (const { peer, state, pairId } of status.pairs) {
      if (!honest.includes(peer)) continue
      if (state !== 'ready') return `the pair of ${j} and ${peer} is ${state}`
      // One end may have stored a renewed state while the other still waits for the last message: a quorum is not chosen then.
      const theirs = statuses.get(peer)?.pairs.find((p) => p.peer === j)?.pairId
      if (theirs === undefined || !equalBytes(theirs, pairId)) return `${j} and ${peer} count on different states of their pair`
    }
  }
  const epochs = new Map<string, number>()
  for (const s of statuses.values()) for (const k of s.keys) epochs.set(k.keyId, Math.max(k.epoch, epochs.get(k.keyId) ?? 0))
  for (const [keyId, epoch] of epochs) {
    const parties = [...statuses.values()].flatMap((s) => s.keys.filter((k) => k.keyId === keyId && k.epoch === epoch)).at(0)?.parties ?? []
    for (const j of parties) {
      const held = statuses.get(j)?.keys.find((k) => k.keyId === keyId)
      if (honest.includes(j) && (held?.epoch !== epoch || held.state !== 'active'))
        return `party ${j} has ${held === undefined ? 'no' : `a ${held.state} epoch ${held.epoch} of`} key ${keyId}, others epoch ${epoch}`
    }
  }
  return undefined
}

/** An epoch that every party of its committee has prepared, all of them honest, and that has not come true; if there is one. */
export function preparedInVain(world: World): string | undefined {
  const holders = new Map<string, { readonly parties: readonly PartyId[]; readonly by: PartyId[] }>()
  const active = new Map<string, number>()
  for (const node of world.honest) {
    for (const { value } of node.image.list('key')) {
      const { keyId, epoch } = decode(StoredKey, value).certificate.key
      active.set(keyId, Math.max(epoch, active.get(keyId) ?? -1))
    }
    for (const { value } of node.image.list('pending-key')) {
      const { keyId, epoch, parties, transcript } = decode(PendingKey, value).key
      const name = `${keyId} epoch ${epoch} of ${toHex(transcript).slice(0, 8)}`
      const known = holders.get(name) ?? { parties, by: [] }
      holders.set(name, known)
      known.by.push(node.index)
    }
  }
  for (const [name, { parties, by }] of holders) {
    const [keyId, , epoch] = name.split(' ')
    if (by.length === parties.length && Number(epoch) > (active.get(keyId as string) ?? -1))
      return `all have prepared ${name}, and it is not active`
  }
  return undefined
}

/** Waits until all honest nodes have ready pairs with each other and the same keys. @returns what they said last. */
export async function settle(world: World, driver: Driver): Promise<ReadonlyMap<PartyId, NodeStatus>> {
  const { timeline } = world
  const deadlineMs = timeline.nowMs + SETTLE_MS
  for (let pauseMs = POLL_MS; ; pauseMs = Math.min(POLL_MAX_MS, 1.5 * pauseMs)) {
    const answers = await driver.askAll(
      world.honest.map((node) => node.index),
      { status: {} },
      STATUS_MS,
    )
    const statuses = new Map<PartyId, NodeStatus>()
    for (const [j, answer] of answers) if (answer !== undefined && 'status' in answer) statuses.set(j, answer.status)
    const reason = unrest(world, statuses) ?? preparedInVain(world)
    if (reason === undefined) return statuses
    if (timeline.nowMs > deadlineMs) {
      world.violate('honest nodes converge', `${reason}, ${SETTLE_MS / 1000} s after the heal`)
      return statuses
    }
    await timeline.pause(pauseMs)
  }
}
