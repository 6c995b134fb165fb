import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConclaveError, codeOf, fromHex, messageOf } from '@conclave/core'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { until } from './child.ts'
import { Evm } from './evm.ts'
import { LocalCluster, NODE_NAMES } from './local-cluster.ts'
import { freePorts } from './ports.ts'
import { type Step, StepTable } from './step-table.ts'

const KEY_ID = 'treasury-1'
const ETHER = 10n ** 18n
/** An account of nobody: the only destination that the policy of the demo allows. */
const SUPPLIER = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
const STRANGER = '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC'

const POLICY = `version: 1
sequence: 1
rules:
  - name: pay-suppliers
    effect: allow
    when:
      keys: [${KEY_ID}]
      payload: evm.tx
      chains: [31337]
      destinations: ['${SUPPLIER}']
      amountMaxWei: '${ETHER}'
      feeMaxWei: '${ETHER / 100n}'
`

export interface DemoOptions {
  readonly progress: (line: string) => void
  /** Where the cluster is made and kept; a temporary directory that is removed by default. */
  readonly dir?: string
}

export interface DemoResult {
  readonly ok: boolean
  /** 33 bytes, hex. */
  readonly publicKey: string
  readonly address: string
  readonly signatures: readonly { readonly digest: string; readonly signature: string; readonly signers: readonly number[] }[]
  readonly denied: readonly { readonly code: string; readonly reason: string }[]
  /** Each left the public key and the address as they were. */
  readonly renewals: readonly { readonly kind: 'refresh' | 'reshare'; readonly epoch: number }[]
  readonly steps: readonly Step[]
  readonly elapsedMs: number
  readonly error?: { readonly code: string; readonly message: string }
}

/** The parts that the steps share. */
class Demo {
  readonly cluster: LocalCluster
  readonly evm: Evm
  readonly table: StepTable
  readonly signatures: DemoResult['signatures'][number][] = []
  readonly denied: DemoResult['denied'][number][] = []
  readonly renewals: DemoResult['renewals'][number][] = []
  publicKey = ''
  address = ''

  constructor(cluster: LocalCluster, evm: Evm, table: StepTable) {
    this.cluster = cluster
    this.evm = evm
    this.table = table
  }

  async createKey(): Promise<void> {
    await this.table.step('DKG by five nodes (and pair setup, once per cluster)', async () => {
      const before = await this.#bytesSent()
      const { operationId } = await this.cluster.client.createKey({ keyId: KEY_ID })
      const key = await this.cluster.client.waitForKey(operationId)
      this.publicKey = key.publicKey
      this.address = key.address
      return { who: key.parties, bytes: (await this.#bytesSent()) - before, note: key.address }
    })
  }

  async fund(): Promise<void> {
    await this.table.step('EVM funds the address', async () => {
      await this.evm.fund(this.address, 10n * ETHER)
      return { note: `${await this.evm.balance(this.address)} wei` }
    })
  }

  /** A transfer that the policy allows: signed, checked, sent, mined, and the balance has moved. */
  async pay(title: string, wei: bigint): Promise<void> {
    await this.table.step(title, async () => {
      const before = await this.evm.balance(SUPPLIER)
      const bytes = await this.evm.transfer({ from: this.address, to: SUPPLIER, valueWei: wei })
      const { requestId } = await this.cluster.client.requestSignature({ keyId: KEY_ID, payload: { type: 'evm.tx', bytes } })
      const done = await this.cluster.client.waitForSignature(requestId)
      const { signature, signers, signedTransaction, digest } = done
      if (signature === null || signers === null || signedTransaction === null || digest === null)
        throw new ConclaveError('DEMO_FAILED', 'the request is signed but has no signature')
      if (!secp256k1.verify(fromHex(signature), fromHex(digest), fromHex(this.publicKey), { prehash: false })) {
        throw new ConclaveError('DEMO_FAILED', 'the signature does not verify under the group key')
      }
      const { block } = await this.evm.mine(signedTransaction)
      if ((await this.evm.balance(SUPPLIER)) - before !== wei) throw new ConclaveError('DEMO_FAILED', 'the balance has not moved')
      this.signatures.push({ digest, signature, signers })
      return { who: signers, bytes: done.attempts.reduce((sum, a) => sum + a.bytesOnWire, 0), note: `mined in block ${block}` }
    })
  }

  async refuse(title: string, to: string, wei: bigint): Promise<void> {
    await this.table.step(title, async () => {
      const bytes = await this.evm.transfer({ from: this.address, to, valueWei: wei })
      const { requestId } = await this.cluster.client.requestSignature({ keyId: KEY_ID, payload: { type: 'evm.tx', bytes } })
      const done = await this.cluster.client.settled(requestId)
      const verdict = done.nodeVerdicts.find((v) => !v.allowed)
      if (done.state !== 'denied' || verdict === undefined)
        throw new ConclaveError('DEMO_FAILED', `a transfer outside the policy ended as ${done.state}`)
      this.denied.push({ code: verdict.code, reason: verdict.reason })
      return { note: `${verdict.code}: ${verdict.reason}` }
    })
  }

  /** With three nodes dead there is no quorum: the request fails with a clear error, in bounded time. */
  async failWithoutQuorum(): Promise<void> {
    await this.table.step('a request with three nodes dead fails', async () => {
      const bytes = await this.evm.transfer({ from: this.address, to: SUPPLIER, valueWei: 1n })
      const { requestId } = await this.cluster.client.requestSignature({
        keyId: KEY_ID,
        payload: { type: 'evm.tx', bytes },
        deadlineMs: 3_000,
      })
      const done = await this.cluster.client.settled(requestId)
      if (done.state !== 'failed' || done.error === null)
        throw new ConclaveError('DEMO_FAILED', `without a quorum the request ended as ${done.state}`)
      return { note: `${done.error.code}: ${done.error.detail}` }
    })
  }

  /** Every node gets a new share; the public key and the address are what they were. */
  async renew(title: string, kind: 'refresh' | 'reshare'): Promise<void> {
    await this.table.step(title, async () => {
      const { client } = this.cluster
      const before = await this.#bytesSent()
      const { operationId } = await (kind === 'refresh' ? client.refreshKey({ keyId: KEY_ID }) : client.reshareKey({ keyId: KEY_ID }))
      const key = await client.waitForKey(operationId)
      if (key.publicKey !== this.publicKey || key.address !== this.address)
        throw new ConclaveError('DEMO_FAILED', `the ${kind} changed the key`)
      this.renewals.push({ kind, epoch: key.epoch })
      return { who: key.parties, bytes: (await this.#bytesSent()) - before, note: `epoch ${key.epoch}, still ${key.address}` }
    })
  }

  async destroy(name: string): Promise<void> {
    await this.table.step(`destroy ${name}: disk and HSM`, async () => {
      await this.cluster.destroy(name)
      return { note: 'nothing of it is left' }
    })
  }

  async replace(name: string): Promise<void> {
    await this.table.step(`a new ${name}: new HSM, new lock, all restart`, async () => {
      await this.cluster.replace(name)
      await this.cluster.linked(this.cluster.names)
      return { note: 'lock version 2, signed by all' }
    })
  }

  async kill(...names: readonly string[]): Promise<void> {
    await this.table.step(`SIGKILL ${names.join(', ')}`, async () => {
      for (const name of names) await this.cluster.kill(name)
      await this.cluster.linked(this.cluster.alive())
      return { note: `left: ${this.cluster.alive().join(', ')}` }
    })
  }

  async restart(...names: readonly string[]): Promise<void> {
    await this.table.step(`restart ${names.join(', ')}`, async () => {
      await this.cluster.startNodes(names)
      await this.cluster.linked(this.cluster.alive())
      return { note: `up: ${this.cluster.alive().join(', ')}` }
    })
  }

  /** Total of what the nodes have sent, as each of them reports it after this call began. */
  async #bytesSent(): Promise<number> {
    const since = Date.now()
    let sum = 0
    const reported = async () => {
      const nodes = await this.cluster.client.nodes()
      sum = nodes.reduce((total, n) => total + (n.status?.bytesSent ?? 0), 0)
      return nodes.every((n) => n.status !== null && Date.parse(n.status.reportedAt) >= since)
    }
    await until(reported, { timeoutMs: 30_000, what: 'the nodes to report their traffic' })
    return sum
  }
}

async function run(demo: Demo): Promise<void> {
  const [zurich, oslo, lisbon, vienna] = NODE_NAMES
  await demo.createKey()
  await demo.fund()
  await demo.pay('transfer 1: five nodes alive', ETHER / 10n)
  await demo.kill(zurich, oslo)
  await demo.pay('transfer 2: the other three', ETHER / 5n)
  await demo.restart(zurich)
  await demo.kill(lisbon)
  await demo.pay('transfer 3: a different three', ETHER / 4n)
  await demo.refuse('transfer to a stranger', STRANGER, ETHER / 10n)
  await demo.refuse('transfer above the limit', SUPPLIER, 2n * ETHER)
  await demo.kill(vienna)
  await demo.failWithoutQuorum()
  await demo.restart(oslo)
  await demo.pay('transfer 4: after the restart', ETHER / 2n)
  await demo.restart(lisbon, vienna)
  await demo.renew('refresh: new shares for everybody', 'refresh')
  await demo.pay('transfer 5: same address, new shares', ETHER / 8n)
  await demo.destroy(vienna)
  await demo.replace(vienna)
  await demo.renew('reshare: the new node takes its seat', 'reshare')
  await demo.kill(zurich, oslo)
  await demo.pay('transfer 6: the recovered node signs', ETHER / 16n)
}

/**
 * The main job, through the same programs and API that operators and platforms use.
 *
 * Never throws: a failure is `ok: false` with an error, and every process that was started has ended.
 */
export async function runDemo({ progress, dir }: DemoOptions): Promise<DemoResult> {
  const startedAt = performance.now()
  const home = dir ?? (await mkdtemp(join(tmpdir(), 'conclave-demo-')))
  const table = new StepTable(progress)
  const stack = new AsyncDisposableStack()
  if (dir === undefined) stack.defer(() => rm(home, { recursive: true, force: true }))
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => reject(new ConclaveError('INTERRUPTED', `stopped by ${signal}`)))
  })
  let demo: Demo | undefined
  let error: DemoResult['error']
  const work = async () => {
    const cluster = await table.step('five HSM tokens, identities, signed cluster lock', async () => ({
      value: await LocalCluster.create({ dir: home, names: NODE_NAMES, required: 3, policy: POLICY }),
    }))
    stack.defer(() => cluster.stop())
    await table.step('start five nodes and a coordinator', async () => {
      await Promise.all([cluster.startNodes(), cluster.startCoordinator()])
      await cluster.linked(cluster.names)
      return {}
    })
    const [port] = await freePorts(1)
    const evm = await table.step('start an EVM', async () => ({ value: await Evm.start(port as number, join(home, 'anvil.log')) }))
    stack.defer(() => evm.stop())
    demo = new Demo(cluster, evm, table)
    await run(demo)
  }
  try {
    await Promise.race([work(), interrupted])
  } catch (failure) {
    error = { code: codeOf(failure), message: messageOf(failure) }
    progress(`failed: ${error.message} (${error.code})`)
  } finally {
    await stack.disposeAsync()
  }
  progress(table.toString())
  const { publicKey = '', address = '', signatures = [], denied = [], renewals = [] } = demo ?? {}
  const elapsedMs = Math.round(performance.now() - startedAt)
  return {
    ok: error === undefined,
    publicKey,
    address,
    signatures,
    denied,
    renewals,
    steps: table.steps,
    elapsedMs,
    ...(error === undefined ? {} : { error }),
  }
}
