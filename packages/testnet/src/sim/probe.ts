import { nodeOf, type PartyId, toHex } from '@conclave/core'
import { burnsPairs, verifies } from '@conclave/mpc'
import type { Change, FromWorker, ToWorker } from '@conclave/node'
import { decodePayload } from '@conclave/policy'
import {
  type Attestation,
  decode,
  type Failure,
  KeyPublic,
  type ProposedItem,
  SignCommit,
  type Signed,
  type SignedItem,
  SignLate,
  SignOpen,
  SignVole,
  StoredBurn,
  StoredKey,
} from '@conclave/wire'
import type { Answer, Driver } from './driver.ts'
import type { KeysBook } from './keys-book.ts'
import { PoolBook } from './pool-book.ts'
import type { Phase } from './sim-disk.ts'
import type { SimNode } from './sim-node.ts'
import type { World } from './world.ts'

type Job = Extract<ToWorker, { readonly type: 'start' }>['job']
type Burned = ReturnType<typeof decode<typeof StoredBurn>>
type SignJob = Extract<Job, { readonly kind: 'sign' }>

/** As who asked for it derives it. */
const digestOf = (item: ProposedItem | undefined): string => (item === undefined ? '' : toHex(decodePayload('evm.tx', item.payload).digest))

/** What a key looked like wherever it was seen active. */
export interface SeenKey {
  readonly public: KeyPublic
  readonly attestations: readonly Attestation[]
}

/** Looks at everything that honest nodes do, and remembers what the invariants need. */
export class Probe {
  /** Keys that an honest node has activated on its disk, by id; the highest epoch of each. */
  readonly keys = new Map<string, SeenKey>()
  /** Whom a machine has banned durably: peer ids, by the machine's name. */
  readonly burned = new Map<string, Set<string>>()
  readonly pools: PoolBook
  readonly #world: World
  readonly #book: KeysBook
  /** Kinds of sessions by node and id. */
  readonly #kinds = new Map<string, string>()
  /** Where a one-time value was seen. */
  readonly #once = new Map<string, string>()
  readonly #agreed = new Map<string, string>()

  constructor(world: World, book: KeysBook) {
    this.#world = world
    this.#book = book
    this.pools = new PoolBook(world)
    world.watch({
      worker: (node, message) => this.#worker(node, message),
      wrote: (node, _write, phase, changes) => this.#wrote(node, phase, changes),
    })
  }

  /** Takes in what the disks hold before the run. */
  begin(world: World): void {
    for (const node of world.honest) {
      for (const { value } of node.image.list('key')) this.#activated(node, decode(StoredKey, value).certificate)
    }
  }

  attach(driver: Driver): void {
    driver.listen((from, body) => this.#answered(from, body))
  }

  burnedBy(node: SimNode): ReadonlySet<string> {
    return this.burned.get(node.name) ?? new Set()
  }

  /** Whether a machine has banned who has that seat under its lock. */
  hasBurned(node: SimNode, party: PartyId): boolean {
    return this.burnedBy(node).has(nodeOf(node.lock, party)?.peerId ?? '')
  }

  /**
   * Forgets what only those knew who have left: an epoch that came true at them alone is not known to anybody who stays.
   */
  left(): void {
    const known = [...this.keys.keys()]
    this.keys.clear()
    this.begin(this.#world)
    for (const keyId of known) if (!this.keys.has(keyId)) this.#world.trace.note(`${keyId} was known to leavers only`)
  }

  #worker(node: SimNode, message: ToWorker | FromWorker): void {
    if (this.#world.byzantine.has(node.name)) return
    this.pools.saw(node, message)
    if (message.type === 'start') this.#started(node, message.id, message.job)
    else if (message.type === 'send' && this.#kinds.get(`${node.name} ${message.id}`) === 'sign')
      for (const m of message.messages) this.#said(node, message.id, m.round, m.body)
  }

  #started(node: SimNode, id: string, job: Job): void {
    const name = `${node.name} ${id}`
    if (this.#kinds.has(name)) this.#world.violate('no correlation is used twice', `${node.name} ran the session ${id} twice`)
    this.#kinds.set(name, job.kind)
    const peers = job.kind === 'pair' || job.kind === 'correlate' ? [job.peer] : job.kind === 'sign' ? [...job.pairs.keys()] : []
    for (const j of peers) {
      if (this.hasBurned(node, j))
        this.#world.violate('burned pairs stay burned', `${node.name} began a ${job.kind} session with party ${j}`)
    }
    if (job.kind === 'sign') this.#agree(node, id, job)
  }

  /** Whoever signs under one session id signs with shares of one epoch, the same thing, in the same company. */
  #agree(node: SimNode, id: string, { share, request }: SignJob): void {
    const key = decode(KeyPublic, share.public)
    const what = `${key.keyId} epoch ${key.epoch} ${toHex(key.publicKey)} ${request.items.map((item) => toHex(item.digest))} by ${request.signers.join()}`
    const before = this.#agreed.get(id)
    if (before !== undefined && before !== what) this.#world.violate('epochs never mix', `${node.name}: ${what}; before: ${before}`)
    this.#agreed.set(id, what)
  }

  #said(node: SimNode, id: string, round: number, body: Uint8Array): void {
    const where = `${node.name} ${id}`
    if (round === 1) {
      const { ots, offer, commitments } = decode(SignCommit, body)
      for (const ot of ots) this.#used('salt', ot.salt, where)
      for (const name of offer) this.#used('pool entry', name, where)
      for (const commitment of commitments) this.#used('nonce commitment', commitment, where)
      this.#same(`commitments ${where}`, commitments.map(toHex).join())
    } else if (round === 3) for (const o of decode(SignOpen, body).openings) this.#used('nonce point', o.noncePoint, where)
    else if (round !== 4) {
      const { ots, voles } = round === 2 ? decode(SignVole, body) : decode(SignLate, body)
      for (const m of [...ots, ...voles]) this.#used('salt', m.salt, where)
    }
  }

  #used(what: string, value: Uint8Array, where: string): void {
    const name = `${what} ${toHex(value)}`
    const before = this.#once.get(name)
    if (before !== undefined && before !== where) this.#world.violate('no correlation is used twice', `${what}: ${where} and ${before}`)
    this.#once.set(name, where)
  }

  #same(name: string, value: string): void {
    const before = this.#once.get(name)
    if (before !== undefined && before !== value) this.#world.violate('no correlation is used twice', `${name} has two values`)
    this.#once.set(name, value)
  }

  #wrote(node: SimNode, phase: Phase, changes: readonly Change[]): void {
    if (phase !== 'at' || this.#world.byzantine.has(node.name)) return
    for (const c of changes) {
      if ('del' in c) {
        if (c.del === 'burn') this.#world.violate('burned pairs stay burned', `${node.name} erased the ban of party ${c.key}`)
        if (c.del === 'key') this.#erased(c.key.split('/')[0] as string)
      } else if (c.put === 'burn') this.#burned(node, decode(StoredBurn, c.value))
      else if (c.put === 'key') this.#activated(node, decode(StoredKey, c.value).certificate)
    }
  }

  #burned(node: SimNode, { peer, peerId }: Burned): void {
    this.burned.set(node.name, new Set([...this.burnedBy(node), peerId]))
    if (this.#world.isHonest(peer, node.lock)) this.#world.violate('no honest party is blamed', `${node.name} banned party ${peer}`)
  }

  /** Whenever a share goes, some epoch of its key must still have enough of them at honest nodes. */
  #erased(keyId: string): void {
    const holders = new Map<number, number>()
    let isEnough = false
    for (const node of this.#world.honest) {
      for (const { value } of node.image.list('key')) {
        const { key } = decode(StoredKey, value).certificate
        if (key.keyId !== keyId) continue
        const count = (holders.get(key.epoch) ?? 0) + 1
        holders.set(key.epoch, count)
        isEnough ||= count >= key.threshold
      }
    }
    if (!isEnough) this.#world.violate('the key is not lost', `${keyId}: no epoch with enough honest shares after a share was erased`)
  }

  #activated(node: SimNode, { key, attestations }: { readonly key: KeyPublic; readonly attestations: readonly Attestation[] }): void {
    const before = this.keys.get(key.keyId)
    if (before !== undefined && toHex(before.public.publicKey) !== toHex(key.publicKey))
      this.#world.violate('the public key stays', `${node.name} has another key ${key.keyId}`)
    if (before === undefined || before.public.epoch <= key.epoch) this.keys.set(key.keyId, { public: key, attestations })
  }

  #answered(from: SimNode, body: Answer): void {
    if (this.#world.byzantine.has(from.name)) return
    if ('failure' in body) this.#failed(from, body.failure)
    else if ('signed' in body) this.#signed(from, body.signed)
  }

  #failed(from: SimNode, { code, culprits }: Failure): void {
    for (const j of culprits) {
      if (this.#world.isHonest(j, from.lock)) this.#world.violate('no honest party is blamed', `${from.name} names party ${j} for ${code}`)
      if (burnsPairs(code) && !this.hasBurned(from, j))
        this.#world.violate('burned pairs stay burned', `${from.name} told of ${code} before the ban of party ${j} was durable`)
    }
  }

  #signed(from: SimNode, { requestId, items }: Signed): void {
    const request = this.#book.requests.get(toHex(requestId))
    const key = request === undefined ? undefined : (this.keys.get(request.keyId)?.public ?? this.#book.keys.get(request.keyId))
    const isOf = ({ digest, signature }: SignedItem, i: number) =>
      key !== undefined && verifies(key.publicKey, digest, signature) && toHex(digest) === digestOf(request?.items[i])
    if (items.length !== request?.items.length || !items.every(isOf))
      this.#world.violate('every signature verifies', `${from.name} answered one that does not`)
  }
}
