import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { NodeMember, PartyId } from '@conclave/core'
import type { Transport } from '@conclave/transport'
import type { KeyVault } from '@conclave/vault'
import type { NodeStatus } from '@conclave/wire'
import type { EpochKeeper } from './epoch-keeper.ts'
import type { KeyStore } from './store/key-store.ts'

export const VERSION = '0.1.0'
const U32 = 2 ** 32

export interface StatusParts {
  readonly self: NodeMember
  readonly vault: KeyVault
  readonly transport: Transport
  readonly keys: KeyStore
  readonly epochs: EpochKeeper
  pairs(): NodeStatus['pairs']
}

const eight = (n: number): Uint8Array => {
  const out = new Uint8Array(8)
  new DataView(out.buffer).setBigUint64(0, BigInt(n))
  return out
}

/** What a node says of itself; it also watches the event loop, whose delay it reports since the last status. */
export class StatusReport {
  readonly #p: StatusParts
  readonly #delay = monitorEventLoopDelay({ resolution: 5 })

  constructor(parts: StatusParts) {
    this.#p = parts
  }

  start(): void {
    this.#delay.enable()
  }

  stop(): void {
    this.#delay.disable()
  }

  async status(): Promise<NodeStatus> {
    const { self, transport, vault, keys, epochs } = this.#p
    const links = transport.links()
    const health = await vault.health()
    const cpu = process.cpuUsage()
    const microseconds = (nanoseconds: number) => Math.min(U32 - 1, Math.round(nanoseconds / 1e3))
    const loop = { p99: microseconds(this.#delay.percentile(99)), max: microseconds(this.#delay.max) }
    this.#delay.reset()
    return {
      index: self.index,
      name: self.name,
      version: VERSION,
      keys: keys.active().map((k) => ({
        keyId: k.keyId,
        epoch: k.epoch,
        publicKey: k.publicKey,
        threshold: k.threshold,
        parties: k.parties,
        state: epochs.isStale(k.keyId) ? 'stale' : 'active',
        prepared: keys.prepared(k.keyId) ?? k.epoch,
        chainCode: k.chainCode,
      })),
      pairs: this.#p.pairs(),
      hsmOk: health.some((h) => h.ok),
      sent: eight(links.reduce((sum, l) => sum + l.bytesSent, 0)),
      received: eight(links.reduce((sum, l) => sum + l.bytesReceived, 0)),
      loopP99Us: loop.p99,
      loopMaxUs: loop.max,
      // 50 days of processor time fill 32 bits; a status that cannot be encoded would be worse than one that starts over.
      cpuMs: Math.round((cpu.user + cpu.system) / 1e3) % U32,
    }
  }
}

/** Parties other than `self`, in order. */
export const othersOf = (nodes: readonly NodeMember[], self: PartyId): readonly PartyId[] =>
  nodes.map((n) => n.index).filter((j) => j !== self)
