import { expect } from 'chai'
import { TestCluster } from './cluster.fixture.ts'
import { NodeMetrics } from './metrics/node-metrics.ts'
import {
  type Body,
  codeIn,
  expectSignature,
  failureIn,
  newKey,
  pairsReady,
  propose,
  requestId,
  sign,
  transfer,
  until,
} from './requests.fixture.ts'

const DRAIN_MS = 20_000
/** No test waits so long for a session that nobody joins. */
const SILENCE_MS = 60_000

async function sampleOf(metrics: NodeMetrics, name: string, labels: Readonly<Record<string, string>> = {}): Promise<number | undefined> {
  const metric = await metrics.registry.getSingleMetric(name)?.get()
  const isIt = (of: object) => Object.entries(labels).every(([k, v]) => (of as Record<string, unknown>)[k] === v)
  return metric?.values.find((v) => isIt(v.labels) && (!('metricName' in v) || v.metricName === name))?.value
}

describe('a node that leaves', () => {
  let cluster: TestCluster
  let publicKey: Uint8Array
  const metrics = new Map<string, NodeMetrics>()

  const start = (names: readonly string[]) =>
    cluster.start(names, {
      silenceTimeoutMs: SILENCE_MS,
      rig: (parts) => {
        const own = new NodeMetrics()
        metrics.set(parts.name, own)
        return { ...parts, metrics: own }
      },
    })
  const of = (name: string) => metrics.get(name) as NodeMetrics
  const code = async (name: string) => (await cluster.node(name).readiness()).code

  before(async () => {
    cluster = await TestCluster.create(3, 2)
    await start(cluster.names())
    publicKey = await newKey(cluster)
    await pairsReady(cluster)
  })
  after(() => cluster.close())

  it('metrics: they count what was asked by its code, time sessions, and read the rest when asked', async () => {
    await propose(cluster, 1, [1, 2], transfer(1n))
    await sign(cluster, 1, [1, 2])
    const [denied] = await propose(cluster, 2, [1], transfer(10n ** 30n))
    expect(codeIn(denied as Body)).to.equal('verdict')
    await sign(cluster, 2, [1, 2])
    const requests = (act: string, label: string) => sampleOf(of('n1'), 'conclave_node_requests_total', { act, code: label })
    expect(await requests('propose', 'ALLOWED')).to.equal(1)
    expect(await requests('sign', 'SIGNED')).to.equal(1)
    expect(await requests('propose', 'AMOUNT_OVER_LIMIT')).to.equal(1)
    expect(await sampleOf(of('n1'), 'conclave_node_keys', { phase: 'active' })).to.equal(1)
    expect(await sampleOf(of('n1'), 'conclave_node_pair_ready', { peer: 'n3' })).to.equal(1)
    expect(await sampleOf(of('n1'), 'conclave_node_hsm_operations_total')).to.be.greaterThan(3)
    expect(await sampleOf(of('n1'), 'conclave_node_draining')).to.equal(0)
    const text = await of('n1').registry.metrics()
    expect(text).to.contain('conclave_node_session_duration_seconds_count{kind="sign",outcome="ok"} 1')
  })

  it('readiness: it is ready with a quorum of links and an HSM, and says what it lacks', async () => {
    expect(await code('n1')).to.equal('READY')
    cluster.device('n1').fail('TOKEN_LOST')
    await until('n1 to miss its HSM', async () => (await code('n1')) === 'HSM_DOWN')
    expect(await sampleOf(of('n1'), 'conclave_node_hsm_state', { state: 'down' })).to.equal(1)
    expect(await sampleOf(of('n1'), 'conclave_node_hsm_state', { state: 'up' })).to.equal(0)
    cluster.device('n1').heal()
    await until('n1 to have its HSM again', async () => (await code('n1')) === 'READY')
    await cluster.kill('n2')
    await cluster.kill('n3')
    await until('n1 to be alone', async () => (await code('n1')) === 'PEERS_DOWN')
    await start(['n2', 'n3'])
    await pairsReady(cluster)
    expect(await code('n1')).to.equal('READY')
  })

  it('drain: an attempt that is in hand is finished first, and then the node goes at once', async () => {
    await propose(cluster, 3, [1, 2], transfer(3n))
    const signers = [1, 2]
    const ask = (index: number) => cluster.ask(index, { sign: { requestId: requestId(3), attempt: 0, signers, epoch: 0 } })
    const first = ask(1)
    await until('n1 to wait for n2', async () => (await sampleOf(of('n1'), 'conclave_node_sessions_running')) === 1)
    let isDrained = false
    const drained = cluster
      .node('n1')
      .drain(DRAIN_MS)
      .then(() => {
        isDrained = true
      })
    expect(await code('n1')).to.equal('DRAINING')
    await until('n1 to refuse what is new', async () => {
      const [answer] = await propose(cluster, 4, [1], transfer(4n))
      return codeIn(answer as Body) === 'DRAINING'
    })
    // Long after it was told to go: the other signer is late.
    expect(isDrained).to.equal(false)
    const second = ask(2)
    expectSignature([await first, await second], publicKey)
    await drained
    expect(await sampleOf(of('n1'), 'conclave_node_draining')).to.equal(1)
  })

  it('drain: what comes later is refused, retriable, and the other signers need not wait for it', async () => {
    await propose(cluster, 4, [2, 3], transfer(4n))
    const [mine, other] = await sign(cluster, 4, [1, 2])
    expect(failureIn(mine as Body)).to.include({ code: 'DRAINING', retriable: true })
    const { code: said, waitingFor } = failureIn(other as Body)
    expect([said, waitingFor]).to.deep.equal(['PEER_STOPPED', [1]])
    expectSignature(await sign(cluster, 4, [2, 3], 1), publicKey)
    expect(codeIn(await cluster.ask(1, { status: {} }))).to.equal('status')
  })
})
