import { toHex } from '@conclave/core'
import { type LocalCluster, until } from '@conclave/testnet'
import { expect } from 'chai'
import { NAMES, type Rig, settled, useCluster } from '../rig/cluster.ts'
import { createKey, signOnce, signWith } from '../rig/signing.ts'
import { StoreWatch } from '../rig/store-watch.ts'

type Name = (typeof NAMES)[number]
type Moment = (ctx: {
  readonly ended: Promise<unknown>
  readonly watch: (name: Name) => StoreWatch
  readonly honestMs: number
}) => Promise<unknown>

const SETTLE_TIMEOUT_MS = 40_000

const atOnce: Moment = async () => undefined
const atWrite =
  (name: Name, n: number): Moment =>
  ({ watch }) =>
    watch(name).writes(n)
const afterPart =
  (part: number): Moment =>
  ({ honestMs }) =>
    new Promise((resolve) => setTimeout(resolve, part * honestMs))

/** Each line is one kill: whom, when, and the moment. A creation that ends before its moment comes is killed at its end. */
const NODE_KILLS: readonly (readonly [Name, string, Moment])[] = [
  ['zurich', 'when the creation is accepted', atOnce],
  ['oslo', 'a third into it', afterPart(1 / 3)],
  ['lisbon', 'two thirds into it', afterPart(2 / 3)],
  ['zurich', 'when it has stored its share', atWrite('zurich', 1)],
  ['oslo', 'when it has stored its own attestation', atWrite('oslo', 2)],
  ['lisbon', 'at its third write', atWrite('lisbon', 3)],
  ['oslo', 'when another node has stored its share', atWrite('zurich', 1)],
  ['zurich', 'when another node has activated the key', atWrite('lisbon', 3)],
  ['lisbon', 'when the creation has ended', ({ ended }) => ended],
]
const COORDINATOR_KILLS: readonly (readonly [string, Moment])[] = [
  ['when it has accepted the creation', atOnce],
  ['when a node has stored its share', atWrite('zurich', 1)],
]

/** The public key that each node reports, by name; nothing where it has no such key. */
async function reports({ observer, cluster }: Rig, keyId: string): Promise<readonly (string | undefined)[]> {
  const statuses = await Promise.all(cluster.names.map((name) => observer.status(name)))
  return statuses.map((s) => s.keys.flatMap((k) => (k.keyId === keyId ? [toHex(k.publicKey)] : []))[0])
}

/** Waits until all nodes report one and the same key, or none does. @returns the public key, or nothing. */
async function allOrNone(rig: Rig, keyId: string): Promise<string | undefined> {
  let last: readonly (string | undefined)[] = []
  const agree = async () => {
    last = await reports(rig, keyId)
    return new Set(last).size === 1
  }
  await until(agree, { timeoutMs: SETTLE_TIMEOUT_MS, what: `key ${keyId} to be at every node or at none` })
  return last[0]
}

/** Kills lisbon when it has stored the first of its two pairs; what its peer has of that pair is then anybody's guess. */
async function killInPairSetup(cluster: LocalCluster): Promise<void> {
  await cluster.startNodes()
  using watch = new StoreWatch(cluster.dirOf('lisbon'))
  await Promise.race([watch.writes(1), new Promise((resolve) => setTimeout(resolve, SETTLE_TIMEOUT_MS).unref())])
  await cluster.kill('lisbon')
}

describe('kill -9 during key creation', () => {
  const rig = useCluster({ first: killInPairSetup })
  /** What became of each key: its public key, or nothing. */
  const outcomes = new Map<string, string | undefined>()
  const states: string[] = []
  let honestMs = 0

  /** Creates a key, kills `victim` at the moment, restarts it, and waits until everybody is linked again. */
  async function creationWithKill(keyId: string, victim: Name | 'coordinator', moment: Moment): Promise<string> {
    const { cluster } = rig()
    using watches = new DisposableStack()
    const watched = new Map(NAMES.map((name) => [name, watches.use(new StoreWatch(cluster.dirOf(name)))]))
    const { operationId } = await cluster.client.createKey({ keyId })
    // Without the coordinator there is no answer; the moment decides then.
    const ended = cluster.client.operation(operationId, { waitMs: 20_000 }).catch(() => undefined)
    await Promise.race([moment({ ended, watch: (name) => watched.get(name) as StoreWatch, honestMs }), ended])
    await cluster.kill(victim)
    states.push((await ended)?.state ?? 'unknown')
    await (victim === 'coordinator' ? cluster.startCoordinator() : cluster.startNodes([victim]))
    await settled(rig())
    return operationId
  }

  it('pair setup: a node killed in the middle of it sets its pairs up again, and a key can be made', async () => {
    const first = { keyId: 'first', publicKey: await createKey(rig(), 'first') }
    await signWith(rig(), first, [1, 3])
    await signWith(rig(), first, [2, 3])
    const startedAt = performance.now()
    outcomes.set('honest', await createKey(rig(), 'honest'))
    honestMs = performance.now() - startedAt
  })

  for (const [i, [victim, when, moment]] of NODE_KILLS.entries()) {
    it(`key creation: kill -9 of ${victim} ${when} leaves the key whole or not at all`, async () => {
      const keyId = `node-kill-${i}`
      await creationWithKill(keyId, victim, moment)
      const publicKey = await allOrNone(rig(), keyId)
      outcomes.set(keyId, publicKey)
      const again = { keyId: `${keyId}-next`, publicKey: await createKey(rig(), `${keyId}-next`) }
      const index = rig().cluster.indexOf(victim)
      const other = (index % NAMES.length) + 1
      for (const key of publicKey === undefined ? [again] : [{ keyId, publicKey }, again]) {
        await signWith(
          rig(),
          key,
          [index, other].sort((a, b) => a - b),
        )
      }
    })
  }

  for (const [i, [when, moment]] of COORDINATOR_KILLS.entries()) {
    it(`key creation: kill -9 of the coordinator ${when}: after its restart the operation succeeds`, async () => {
      const keyId = `coordinator-kill-${i}`
      const operationId = await creationWithKill(keyId, 'coordinator', moment)
      const key = await rig().cluster.client.waitForKey(operationId)
      expect(await allOrNone(rig(), keyId)).to.equal(key.publicKey)
      outcomes.set(keyId, key.publicKey)
      await signOnce(rig(), key)
    })
  }

  it('key creation: kills came early enough to stop a creation and late enough to leave a key', () => {
    expect(states).to.include('failed')
    expect([...outcomes.values()].some((key) => key === undefined)).to.equal(true)
    expect([...outcomes].some(([keyId, key]) => keyId !== 'honest' && key !== undefined)).to.equal(true)
  })

  it('key creation: after a restart of every node each key is what it was, and the coordinator lists the whole ones', async () => {
    const { cluster } = rig()
    await Promise.all(NAMES.map((name) => cluster.stopOne(name)))
    await cluster.startNodes()
    await settled(rig())
    for (const [keyId, publicKey] of outcomes) expect(await allOrNone(rig(), keyId), keyId).to.equal(publicKey)
    const listed = new Map((await cluster.client.keys()).map((k) => [k.keyId, k.publicKey]))
    for (const [keyId, publicKey] of outcomes) expect(listed.get(keyId), keyId).to.equal(publicKey)
  })
})
