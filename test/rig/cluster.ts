import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PAYEE } from '@conclave/policy/testing/psbt'
import { type ClusterPlan, LocalCluster, MemberPeer, until } from '@conclave/testnet'

export const NAMES = ['zurich', 'oslo', 'lisbon'] as const
export const ETHER = 10n ** 18n
/** The only destination that the policy of the tests allows. */
export const SUPPLIER = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
/** The contract of the example in EIP-712. */
export const MAIL_CONTRACT = '0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC'
/** On this chain 10 wei are allowed at a time, and 15 a day. */
export const PETTY_CHAIN = 31338
/** A coordinator of the lock for which the test speaks. */
export const OBSERVER = 'observer'

export const POLICY = `version: 1
sequence: 1
rules:
  - name: pay-suppliers
    effect: allow
    when:
      payload: evm.tx
      chains: [31337]
      destinations: ['${SUPPLIER}']
      amountMaxWei: '${ETHER}'
  - name: petty-cash
    effect: allow
    when:
      chains: [${PETTY_CHAIN}]
      destinations: ['${SUPPLIER}']
      amountMaxWei: '10'
      times: [{ zone: Europe/Berlin, from: '00:00', to: '24:00' }]
      limits: [{ window: 1d, per: rule, amountMaxWei: '15' }]
  - name: sweep
    effect: allow
    when:
      payload: btc.psbt
      paths: [m/0/*, m/1/*]
      destinations: ['${PAYEE}']
      amountMaxSat: '1000000'
      feeMaxSat: '2000'
  - name: log-in
    effect: allow
    when: { payload: eip712, chains: [1], destinations: ['${MAIL_CONTRACT}'], primaryTypes: [Mail] }
`

export interface Rig {
  readonly cluster: LocalCluster
  /** Links to the nodes as a second coordinator. */
  readonly observer: MemberPeer
}

interface Changes extends Partial<Pick<ClusterPlan, 'names' | 'required' | 'pool' | 'nodeSettings' | 'coordinatorSettings' | 'nodeInit'>> {
  /** Runs when the cluster is made and nothing of it is started; starts what it needs, and all of it is started afterwards. */
  readonly first?: (cluster: LocalCluster) => Promise<void>
}

/** What shows that the coordinator has not heard yet how things stand. */
const UNHEARD = new Set(['LINK_DOWN', 'NO_REPORT', 'PAIR_MISSING', 'PAIR_BURNED'])

/** Waits until every two of these nodes hold the same pair state, and both coordinators have links to each and know it. */
export async function settled({ cluster, observer }: Rig, names: readonly string[] = cluster.names): Promise<void> {
  await cluster.linked(names)
  await observer.linked(names)
  const ready = async () => {
    const statuses = await Promise.all(names.map((name) => observer.status(name)))
    const idOf = (a: number, b: number) => {
      const pair = statuses.find((s) => s.index === a)?.pairs.find((p) => p.peer === b)
      return pair?.state === 'ready' ? Buffer.from(pair.pairId).toString('hex') : undefined
    }
    const indices = statuses.map((s) => s.index)
    return indices.every((a) => indices.every((b) => a === b || (idOf(a, b) !== undefined && idOf(a, b) === idOf(b, a))))
  }
  await until(ready, { timeoutMs: 60_000, what: `pairs of ${names.join(', ')}` })
  // The observer asks the nodes; the coordinator that signs goes by their reports, which come in their own time.
  const known = async () => {
    const nodes = (await cluster.client.nodes()).filter((n) => names.includes(n.name))
    return nodes.every((n) => n.availability.reasons.every((r) => !UNHEARD.has(r.code)))
  }
  await until(known, { timeoutMs: 60_000, what: `reports of ${names.join(', ')} at the coordinator` })
}

/** Every process of the cluster that does not run yet, and the links of both coordinators. */
async function startAll(cluster: LocalCluster): Promise<Rig> {
  const running = cluster.alive()
  await Promise.all([cluster.startNodes(cluster.names.filter((n) => !running.includes(n))), cluster.startCoordinator()])
  const observer = await MemberPeer.coordinator(cluster.dirOf(OBSERVER))
  const rig = { cluster, observer }
  await settled(rig)
  return rig
}

/** A cluster and its directory, to be taken down however far its making got. */
class Made {
  #dir: string | undefined
  #cluster: LocalCluster | undefined
  #rig: Rig | undefined

  get rig(): Rig {
    if (this.#rig === undefined) throw new Error('the cluster is there between before and after only')
    return this.#rig
  }

  async make({ first, ...settings }: Changes): Promise<void> {
    this.#dir = await mkdtemp(join(tmpdir(), 'conclave-e2e-'))
    const plan = { dir: this.#dir, names: NAMES, required: 2, policy: POLICY, silentCoordinators: [OBSERVER], ...settings }
    this.#cluster = await LocalCluster.create(plan)
    await first?.(this.#cluster)
    this.#rig = await startAll(this.#cluster)
  }

  async close(): Promise<void> {
    await this.#rig?.observer.stop()
    await this.#cluster?.stop()
    if (this.#dir !== undefined) await rm(this.#dir, { recursive: true, force: true })
  }
}

/**
 * Declares a 2-of-3 cluster of real processes for the tests of one `describe`: made before the first, stopped after the last
 * however they end.
 *
 * @param changes - or what makes ready what they need.
 * @returns how a test gets at it.
 */
export function useCluster(changes: Changes | (() => Promise<Changes>) = {}): () => Rig {
  const made = new Made()
  before(async () => made.make(typeof changes === 'function' ? await changes() : changes))
  after(() => made.close())
  return () => made.rig
}

const shared = new Made()
let making: Promise<void> | undefined
// Of mocha's root suite: runs after the last test of all files.
after(() => shared.close())

/** Like `useCluster`, with one cluster for all who leave it as they found it: every process up, every pair ready. */
export function useSharedCluster(): () => Rig {
  before(() => {
    making ??= shared.make({})
    return making
  })
  return () => shared.rig
}
