// A process of its own for bare-round.ts: one of the parties that do nothing but send and wait, over the links that nodes use.
import { type ClusterLock, type Member, tagged, toHex, utf8 } from '@conclave/core'
import { libp2pTransport, peerIdOf, softIdentity } from '@conclave/transport'

export interface BarePlan {
  readonly self: string
  readonly parties: readonly { readonly name: string; readonly listen: string; readonly address: string }[]
  /** Bytes of what each party sends to each other one, round by round. */
  readonly sizes: readonly number[]
  readonly turns: number
}

const HEAD_BYTES = 4
const signerOf = (name: string) => softIdentity(tagged('bench-identity', utf8(name)))

function lockOf({ parties }: BarePlan): ClusterLock {
  return {
    version: 1,
    clusterId: toHex(tagged('bench-cluster')),
    previous: '',
    quorum: { required: 2, of: parties.length },
    nodes: parties.map(({ name, address }, i) => {
      const identity = signerOf(name).key
      const keys = { identity, checkpointKeys: [signerOf(`${name}/checkpoint`).key] }
      return { kind: 'node', index: i + 1, name, peerId: peerIdOf(identity), addresses: [address], ...keys }
    }),
    coordinators: [],
    signatures: new Map(),
    approvals: new Map(),
  }
}

/** What came, by the number of its round: a quick party may be one round ahead. */
class Arrivals {
  readonly #counts = new Map<number, number>()
  readonly #others: number
  #waiting: { readonly round: number; readonly resolve: () => void } | undefined

  constructor(others: number) {
    this.#others = others
  }

  add(frame: Uint8Array): void {
    const round = new DataView(frame.buffer, frame.byteOffset).getUint32(0)
    this.#counts.set(round, (this.#counts.get(round) ?? 0) + 1)
    this.#settle()
  }

  /** Resolves when every other party has sent its message of this round. */
  all(round: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = { round, resolve }
      this.#settle()
    })
  }

  #settle(): void {
    const waiting = this.#waiting
    if (waiting === undefined || (this.#counts.get(waiting.round) ?? 0) < this.#others) return
    this.#counts.delete(waiting.round)
    this.#waiting = undefined
    waiting.resolve()
  }
}

async function main(plan: BarePlan): Promise<void> {
  const lock = lockOf(plan)
  const others: readonly Member[] = lock.nodes.filter((n) => n.name !== plan.self)
  const own = plan.parties.find((p) => p.name === plan.self)
  const transport = libp2pTransport({ lock, self: plan.self, signer: signerOf(plan.self), listen: [own?.listen ?? ''] })
  const arrivals = new Arrivals(others.length)
  const up = new Set<string>()
  const linked = Promise.withResolvers<void>()
  await transport.start({
    frame: (_, frame) => arrivals.add(frame),
    linkUp: (member) => {
      up.add(member.name)
      if (up.size === others.length) linked.resolve()
    },
    linkDown: () => undefined,
  })
  await linked.promise
  const turns: number[] = []
  const before = process.cpuUsage()
  let round = 0
  for (let turn = 0; turn < plan.turns; turn++) {
    const startedAt = performance.now()
    for (const size of plan.sizes) {
      const frame = new Uint8Array(Math.max(HEAD_BYTES, size))
      new DataView(frame.buffer).setUint32(0, round)
      for (const member of others) transport.send(member, frame)
      await arrivals.all(round++)
    }
    turns.push(performance.now() - startedAt)
  }
  const { user, system } = process.cpuUsage(before)
  const cpuMs = (user + system) / 1e3 / plan.turns
  process.stdout.write(`${JSON.stringify({ turns, cpuMs, systemMs: system / 1e3 / plan.turns })}\n`)
  // The others may still wait for what is on its way; whoever started this process ends it.
  process.on('SIGTERM', () => void transport.stop().then(() => process.exit(0)))
}

if (process.argv[1] === import.meta.filename) await main(JSON.parse(process.argv[2] ?? '') as BarePlan)
