import type { PartyId } from '@conclave/core'
import type { NodeStatus } from '@conclave/wire'
import type { Office } from './actions.ts'
import type { KnownKey } from './keys-book.ts'

const STATUS_MS = 4_000
const RENEW_MS = 40_000
const PAUSE_MS = 1_500

export type Renewal = 'refresh' | 'reshare' | 'recover'

/** What the nodes say of themselves; those that do not answer are missing. */
export async function statusesOf({ driver }: Office, parties: readonly PartyId[]): Promise<ReadonlyMap<PartyId, NodeStatus>> {
  const answers = await driver.askAll(parties, { status: {} }, STATUS_MS)
  return new Map([...answers].flatMap(([j, a]) => (a !== undefined && 'status' in a ? [[j, a.status] as const] : [])))
}

/** Takes the newest epoch that `threshold` of the nodes hold into the coordinator's memory of a key. */
export function noteEpoch(key: KnownKey, statuses: ReadonlyMap<PartyId, NodeStatus>): void {
  const held = [...statuses.values()].flatMap((s) => s.keys.filter((k) => k.keyId === key.keyId && k.state === 'active'))
  for (const k of held) {
    if (k.epoch <= key.epoch || held.filter((o) => o.epoch === k.epoch).length < k.threshold) continue
    key.epoch = k.epoch
    key.threshold = k.threshold
    key.parties = k.parties
  }
}

/**
 * Has a key renewed: the same committee deals anew, or `threshold` of the old committee deal to a new one.
 *
 * @param options.threshold - of the new epoch; unless given, that of the old one, or more if the lock asks for more.
 * @param options.lost - a party that deals nothing and gets a new share (recover).
 * @returns whether every participant answered the new epoch.
 */
export async function renewKey(
  office: Office,
  key: KnownKey,
  options: { readonly how: Renewal; readonly tries: number; readonly threshold?: number; readonly lost?: PartyId },
): Promise<boolean> {
  const { driver, dice } = office
  const { timeline, trace } = driver.world
  const { how, lost } = options
  for (let i = 0; i < options.tries; i++) {
    if (i > 0) await timeline.pause(PAUSE_MS)
    // The coordinator may have got another lock meanwhile.
    const members = driver.lock.nodes.map((m) => m.index)
    const statuses = await statusesOf(office, members)
    noteEpoch(key, statuses)
    const holders = [...statuses]
      .filter(([, s]) => s.keys.some((k) => k.keyId === key.keyId && k.state === 'active' && k.epoch === key.epoch))
      .map(([j]) => j)
    const prepared = [...statuses.values()].flatMap((s) => s.keys.filter((k) => k.keyId === key.keyId).map((k) => k.prepared))
    const parties = how === 'refresh' ? key.parties : members
    const able = dice.shuffle(holders.filter((j) => j !== lost))
    const dealers = how === 'refresh' ? key.parties : able.slice(0, key.threshold).sort((a, b) => a - b)
    if (dealers.length < key.threshold) continue
    const threshold = options.threshold ?? (how === 'refresh' ? key.threshold : Math.max(key.threshold, driver.lock.quorum.required))
    // A party without an active share does not say what it has prepared, so each try goes higher than the last one.
    const epoch = Math.max(key.epoch, key.asked ?? 0, ...prepared) + 1
    key.asked = epoch
    const renewal = {
      ...{ keyId: key.keyId, nonce: dice.bytes(32), kind: how === 'refresh' ? 'refresh' : 'reshare', fromEpoch: key.epoch },
      ...{ epoch, threshold, parties, dealers },
    }
    const participants = [...new Set([...parties, ...dealers])].sort((a, b) => a - b)
    const answers = await driver.askAll(participants, { renewKey: renewal }, RENEW_MS)
    const told = [...answers].map(([j, a]) => `${j}:${a === undefined ? 'silent' : 'failure' in a ? a.failure.code : Object.keys(a)[0]}`)
    trace.note(`renewed ${key.keyId} (${how}, epoch ${renewal.epoch}) ${told.join(' ')}`)
    const isDone = parties.every((j) => {
      const answer = answers.get(j)
      return answer !== undefined && 'keyCreated' in answer && answer.keyCreated.epoch === renewal.epoch
    })
    if (!isDone) continue
    key.epoch = renewal.epoch
    key.parties = parties
    key.threshold = threshold
    return true
  }
  return false
}
