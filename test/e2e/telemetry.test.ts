import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { OtlpReceiver, type ReceivedSpan } from '@conclave/telemetry/testing'
import { type LocalCluster, until } from '@conclave/testnet'
import { expect } from 'chai'
import { useCluster } from '../rig/cluster.ts'
import { runConclave } from '../rig/command.ts'
import { createKey, payload, signOnce } from '../rig/signing.ts'

const NODES = ['zurich', 'oslo', 'lisbon', 'vienna']
const PARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
const CLIENTS = 4

/** Where a member serves its metrics, by its own log. */
async function metricsUrl(cluster: LocalCluster, name: string): Promise<string> {
  const log = await readFile(cluster.child(name)?.logFile ?? '', 'utf8')
  const line = log.split('\n').find((l) => l.includes('"metrics are served"')) ?? '{}'
  return (JSON.parse(line) as { url: string }).url
}

async function scrape(cluster: LocalCluster, name: string): Promise<string> {
  return await (await fetch(`${await metricsUrl(cluster, name)}/metrics`)).text()
}

/** The sum of the samples of one metric that have these labels. */
function sampleOf(text: string, metric: string, labels = ''): number {
  const lines = text.split('\n').filter((l) => (l.startsWith(`${metric}{`) || l.startsWith(`${metric} `)) && l.includes(labels))
  return lines.reduce((sum, l) => sum + Number(l.slice(l.lastIndexOf(' ') + 1)), 0)
}

const namesIn = (text: string) => [...text.matchAll(/^# HELP (\S+) /gm)].map((m) => m[1] as string).sort()

describe('what real nodes and their coordinator show of themselves', () => {
  let receiver: OtlpReceiver
  const rig = useCluster(async () => {
    receiver = await OtlpReceiver.start()
    const settings = `metrics: { listen: 127.0.0.1:0 }\ntracing: { otlp: ${receiver.url} }\n`
    return { names: NODES, required: 3, pool: { low: 2, high: 6 }, nodeSettings: settings, coordinatorSettings: settings }
  })
  const keyId = 'watched'
  let publicKey: string

  /** A request ends when its last signer has answered, too: after the signature is there. */
  async function quiet(): Promise<void> {
    const isQuiet = async () => sampleOf(await scrape(rig().cluster, 'coordinator'), 'conclave_coordinator_requests_open') === 0
    await until(isQuiet, { timeoutMs: 30_000, what: 'no open request' })
  }

  before(async () => {
    publicKey = await createKey(rig(), keyId)
  })
  after(() => receiver[Symbol.asyncDispose]())

  it('trace: one request is one trace, from the caller through the coordinator to every signer', async () => {
    const { cluster } = rig()
    const headers = { authorization: `Bearer ${cluster.apiKey}`, 'content-type': 'application/json', 'idempotency-key': 'traced' }
    const body = JSON.stringify({ keyId, payload: payload() })
    const sent = { method: 'POST', headers: { ...headers, traceparent: PARENT }, body }
    const answer = await fetch(`${cluster.url}/v1/signing-requests?waitMs=30000`, sent)
    const { requestId, state, signers } = (await answer.json()) as { requestId: string; state: string; signers: number[] }
    expect(state).to.equal('signed')
    const ofTrace = () => receiver.spans.filter((s) => s.traceId === PARENT.slice(3, 35))
    const has = (name: string, instance: string) => ofTrace().some((s) => s.name === name && s.instance === instance)
    const nodes = signers.map((i) => cluster.names[i - 1] as string)
    const isWhole = async () => has('POST /v1/signing-requests', 'coordinator') && nodes.every((n) => has('session', n) && has('sign', n))
    await until(isWhole, { timeoutMs: 30_000, what: 'the spans of the request' })
    const spans = ofTrace()
    expect(new Set(spans.map((s) => s.instance))).to.deep.equal(new Set(['coordinator', ...nodes]))
    expect(nodes).to.have.length(3)
    // Connected: each hangs below another one, the first below the caller's.
    const byId = new Map(spans.map((s) => [s.spanId, s]))
    const loose = spans.filter((s) => !byId.has(s.parentSpanId))
    expect(loose.map((s) => [s.name, s.parentSpanId])).to.deep.equal([['POST /v1/signing-requests', PARENT.slice(36, 52)]])
    const under = (s: ReceivedSpan): string => `${byId.get(s.parentSpanId)?.name ?? ''} > ${s.name}`
    const links = new Set(spans.map(under))
    for (const link of ['> admission', '> signing request', 'signing request > attempt', 'signing request > store'])
      expect(
        [...links].some((l) => l.endsWith(link)),
        link,
      ).to.equal(true)
    for (const link of ['propose > judge', 'propose > store', 'sign > hsm', 'sign > store', 'sign > session'])
      expect(links).to.include(link)
    for (const node of nodes) for (const act of ['propose', 'sign']) expect(links).to.include(`${act} ${node} > ${act}`)
    expect(spans.find((s) => s.name === 'session')?.events).to.include('round 1')
    expect(spans.filter((s) => s.attributes['conclave.request'] === requestId).length).to.equal(1 + 2 * nodes.length)
  })

  it('trace: nothing of the payload, the key or a share is in it', async () => {
    const { cluster } = rig()
    const { payload: asked, requestId } = await signOnce(rig(), { keyId, publicKey })
    await until(async () => receiver.bodies.some((b) => b.includes(requestId)), { timeoutMs: 30_000, what: 'its spans' })
    const sent = receiver.bodies.join('\n')
    for (const secret of [asked?.bytes.slice(2) as string, publicKey, cluster.apiKey]) expect(sent).to.not.contain(secret)
  })

  it('log: every line of a node about a request names it', async () => {
    const { cluster } = rig()
    const { requestId, signers } = await signOnce(rig(), { keyId, publicKey })
    await quiet()
    for (const index of signers ?? []) {
      const child = cluster.child(cluster.names[index - 1] as string)
      const lines = (await readFile(child?.logFile ?? '', 'utf8')).split('\n').filter((l) => l.includes(requestId))
      const said = lines.map((l) => JSON.parse(l) as { msg: string; signingRequest: string; statement?: string })
      expect(said.map((l) => l.msg)).to.include.members(['request allowed', 'signed'])
      for (const line of said) expect(line).to.include({ signingRequest: requestId })
      expect(said[0]?.statement).to.match(/^[0-9a-f]{64}$/)
    }
    const own = await readFile(cluster.child('coordinator')?.logFile ?? '', 'utf8')
    expect(own.split('\n').some((l) => l.includes('"request admitted"') && l.includes(requestId) && l.includes('"reqId"'))).to.equal(true)
  })

  it('metrics: every one of docs/metrics.md is served, and no other', async () => {
    const { cluster } = rig()
    const doc = await readFile(join(import.meta.dirname, '../../docs/metrics.md'), 'utf8')
    const section = (title: string) => doc.split(/^## /m).find((s) => s.startsWith(title)) ?? ''
    const listed = (title: string) => [...section(title).matchAll(/^\| `([a-z0-9_]+)` \|/gm)].map((m) => m[1] as string)
    const both = listed('Both')
    expect(namesIn(await scrape(cluster, 'zurich'))).to.deep.equal([...listed('Nodes'), ...both].sort())
    expect(namesIn(await scrape(cluster, 'coordinator'))).to.deep.equal([...listed('Coordinator'), ...both].sort())
  })

  it('metrics: they follow what happens', async () => {
    const { cluster } = rig()
    const { signers } = await signOnce(rig(), { keyId, publicKey })
    const node = cluster.names[(signers?.[0] ?? 1) - 1] as string
    await quiet()
    const before = await scrape(cluster, node)
    const ended = sampleOf(await scrape(cluster, 'coordinator'), 'conclave_coordinator_requests_total', 'state="signed"')
    for (let i = 0; i < 6; i++) await signOnce(rig(), { keyId, publicKey })
    await quiet()
    const [after, hub] = [await scrape(cluster, node), await scrape(cluster, 'coordinator')]
    const grown = (metric: string, labels = '') => sampleOf(after, metric, labels) - sampleOf(before, metric, labels)
    expect(grown('conclave_node_requests_total', 'code="SIGNED"')).to.be.within(1, 6)
    expect(grown('conclave_node_session_duration_seconds_count', 'kind="sign",outcome="ok"')).to.be.within(1, 6)
    expect(grown('conclave_node_audit_entries')).to.be.greaterThan(0)
    expect(grown('conclave_node_hsm_operations_total')).to.be.greaterThan(0)
    expect(sampleOf(after, 'conclave_node_link_up')).to.equal(5)
    expect(sampleOf(after, 'conclave_node_hsm_state', 'state="up"')).to.equal(1)
    expect(sampleOf(after, 'conclave_node_policy_sequence')).to.equal(1)
    expect(sampleOf(after, 'conclave_node_keys_unbacked')).to.equal(1)
    expect(sampleOf(after, 'conclave_node_pool_made_total')).to.be.greaterThan(0)
    expect(sampleOf(hub, 'conclave_coordinator_requests_total', 'state="signed"') - ended).to.equal(6)
    expect(sampleOf(hub, 'conclave_coordinator_quorum_able')).to.equal(1)
    expect(sampleOf(hub, 'conclave_coordinator_node_able')).to.equal(4)
    expect(sampleOf(hub, 'conclave_coordinator_http_duration_seconds_count', 'route="/v1/signing-requests"')).to.be.greaterThan(0)
    const { requestId } = await signOnce(rig(), { keyId, publicKey })
    for (const text of [after, hub]) for (const id of [requestId, '127.0.0.1', publicKey]) expect(text).to.not.contain(id)
    const refused = await fetch(`${cluster.url}/metrics`)
    expect(refused.status).to.equal(401)
    const asked = await fetch(`${cluster.url}/metrics`, { headers: { authorization: `Bearer ${cluster.apiKey}` } })
    expect(namesIn(await asked.text())).to.deep.equal(namesIn(hub))
  })

  it('status: the cluster in one look, and one node', async () => {
    const { cluster } = rig()
    const api = ['--url', cluster.url, '--api-key-file', join(cluster.dirOf('coordinator'), 'api-key')]
    const { exitCode, stdout } = await runConclave(['status', ...api])
    expect(exitCode, stdout).to.equal(0)
    expect(stdout).to.match(/^healthy: 4 of 4 nodes are able to sign, 3 are needed\n/)
    for (const name of NODES) expect(stdout).to.match(new RegExp(`^${name} +up +yes +\\S+ up +1 +0 +\\d+/\\d+ +\\d+ +\\d+ +-?\\d+ ms`, 'm'))
    expect(stdout).to.match(/^watched +active +0 +3 of 4$/m)
    const own = await runConclave(['status', '--dir', cluster.dirOf('oslo'), '--json'])
    const page = JSON.parse(own.stdout)
    expect(own.exitCode).to.equal(0)
    expect(page).to.deep.include({ healthy: true })
    expect(page.nodes.map((n: { name: string }) => n.name)).to.have.members(NODES)
    expect(page.nodes[0]).to.include({ name: 'oslo', able: true, policySequence: 1, freezes: 0, unbacked: 1 })
    expect(page.doctor.warnings).to.be.greaterThan(0)
  })

  it('drain: a node that is stopped under load and started again fails no request', async () => {
    const { cluster } = rig()
    let isOver = false
    const requests: { state: string; error: unknown }[] = []
    const client = async () => {
      while (!isOver)
        requests.push(await cluster.client.settled((await cluster.client.requestSignature({ keyId, payload: payload() })).requestId))
    }
    const clients = Array.from({ length: CLIENTS }, client)
    const more = (count: number) => {
      const wanted = requests.length + count
      return until(async () => requests.length >= wanted, { timeoutMs: 60_000, what: `${count} more requests` })
    }
    await more(2 * CLIENTS)
    await cluster.stopOne('vienna')
    await more(CLIENTS)
    const api = ['--url', cluster.url, '--api-key-file', join(cluster.dirOf('coordinator'), 'api-key')]
    const { exitCode, stdout } = await runConclave(['status', ...api])
    expect(stdout).to.match(/^vienna +down +NO/m)
    expect(exitCode).to.equal(0)
    await cluster.startNodes(['vienna'])
    await cluster.linked(NODES)
    await more(CLIENTS)
    isOver = true
    await Promise.all(clients)
    expect(requests.filter((r) => r.state !== 'signed')).to.deep.equal([])
    const log = await readFile(
      join(cluster.dirOf('coordinator'), (cluster.child('coordinator')?.logFile ?? '').split('/').at(-1) ?? ''),
      'utf8',
    )
    expect(log).to.contain('"a node is leaving"')
  })

  it('drain: a coordinator that is stopped answers what it has in hand, and is degraded with too few nodes after its start', async () => {
    const { cluster } = rig()
    const asked = Array.from({ length: CLIENTS }, () => cluster.client.requestSignature({ keyId, payload: payload() }))
    const ids = (await Promise.all(asked)).map((r) => r.requestId)
    const waiting = ids.map((id) => cluster.client.settled(id))
    await cluster.stopOne('coordinator')
    await cluster.startCoordinator()
    expect((await Promise.all(waiting)).map((r) => r.state)).to.deep.equal(ids.map(() => 'signed'))
    await Promise.all(['oslo', 'lisbon'].map((name) => cluster.stopOne(name)))
    await cluster.linked(['zurich', 'vienna'])
    const api = ['--url', cluster.url, '--api-key-file', join(cluster.dirOf('coordinator'), 'api-key')]
    const { exitCode, stdout } = await runConclave(['status', ...api])
    expect(stdout).to.match(/^DEGRADED: 0 of 4/)
    expect(exitCode).to.equal(1)
    const ready = await fetch(`${await metricsUrl(cluster, 'zurich')}/readyz`)
    expect(ready.status).to.equal(503)
    expect(await ready.json()).to.include({ code: 'PEERS_DOWN' })
  })
})
