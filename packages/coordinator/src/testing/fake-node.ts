import { type ClusterLock, deriveChild, fromHex, type Member, type NodeMember, type PartyId, tagged, toHex, u32 } from '@conclave/core'
import { decodePayload, digestsAt, type StatementDigest } from '@conclave/policy'
import { type MemoryHub, memoryTransport, type Transport } from '@conclave/transport'
import {
  type CreateKey,
  decode,
  encode,
  Frame,
  type NodeStatus,
  type Propose,
  type RenewKey,
  type Request,
  type Response,
  type Sign,
  type SignedItem,
} from '@conclave/wire'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { fakeLook, type Shows } from './fake-look.ts'
import { type FakeShare, isRetriable, refusalOf, renewedShare, signingRefusal } from './fake-renewal.ts'
import type { FakeSessions } from './fake-session.ts'

export type RequestBody = Request['body']
export type ResponseBody = Response['body']
export type PairState = 'ready' | 'missing' | 'burned'

/** A key as the fakes have it: whole, which no real process ever has. */
export interface FakeKey {
  readonly secret: Uint8Array
  readonly chainCode: Uint8Array
  readonly threshold: number
  readonly parties: readonly PartyId[]
}

/** What all fake nodes of a cluster share: the sessions, and the keys that sessions have made. */
export interface FakeWorld {
  readonly lock: ClusterLock
  readonly hub: MemoryHub
  readonly sessions: FakeSessions
  readonly keys: Map<string, FakeKey>
  /** Every Sign that any node has received, in order. */
  readonly signs: (Pick<Sign, 'attempt' | 'signers' | 'epoch'> & { readonly node: PartyId; readonly requestId: string })[]
  /** Every RenewKey that any node has received, in order. */
  readonly renewals: { readonly node: PartyId; readonly renew: RenewKey }[]
}

/** The private key of a child, from the whole private key of its root. */
export function childSecret({ secret, chainCode }: FakeKey, path: readonly number[]): Uint8Array {
  const { Fn } = secp256k1.Point
  const { tweak } = deriveChild({ publicKey: secp256k1.getPublicKey(secret), chainCode }, path)
  return Fn.toBytes(Fn.add(Fn.fromBytes(secret), Fn.fromBytes(tweak)))
}

/** What a proposal asks to sign, and with which children. */
function digestsIn({ payloadType, items }: Propose, { secret, chainCode }: FakeKey): readonly StatementDigest[] {
  const key = { publicKey: secp256k1.getPublicKey(secret), chainCode }
  return items.flatMap(({ payload, path }) => digestsAt(decodePayload(payloadType, payload, { key }), path))
}

/** A signature with a whole private key. */
export function signedItem(digest: Uint8Array, secret: Uint8Array): SignedItem {
  const bytes = secp256k1.sign(digest, secret, { prehash: false, format: 'recovered' })
  return { digest, signature: bytes.slice(1), recovery: bytes[0] as number }
}

export function failure(code: string, more: Partial<Extract<ResponseBody, { failure: unknown }>['failure']> = {}): ResponseBody {
  return { failure: { code, message: `fake: ${code}`, retriable: true, culprits: [], waitingFor: [], ...more } }
}

/** Answers control.proto like a node, without policy or protocol: it allows everything and signs with the whole key. */
export class FakeNode {
  readonly member: NodeMember
  readonly pairs = new Map<PartyId, PairState>()
  stock = 9
  readonly keys = new Map<string, FakeShare>()
  /** Epochs that its last backups are of, by key. */
  readonly backups = new Map<string, number>()
  /** Peers with whom it reports another pair state than they do. */
  readonly otherPairs = new Set<PartyId>()
  burnCode = 'VOLE_CHECK'
  hsmOk = true
  readonly shows: Shows = new Map()
  /** Why its audit log keeps it from signing. */
  auditCode = ''
  hsms: NodeStatus['hsms'] = []
  erasures: readonly Uint8Array[] = []
  /** Of its clock, its rules and its log. */
  standing = { clock: new Uint8Array(8), freezes: 0, policySequence: 7, auditEntries: 20, checkpointEntries: 16, cosigners: 4 }
  /** By key; active unless it says otherwise. */
  readonly phases = new Map<string, string>()
  /** Prepares what is renewed and does not go on to it before `promote`: like a node that has not heard from the others yet. */
  holdsBack = false
  /** The code with which it refuses every renewal. */
  refuses: string | undefined
  statement: Uint8Array = tagged('fake-statement')
  /** Whether it signs under the epoch before its present one. */
  signsBefore = true
  /** Sees each request first; may answer in its own way, call `honest`, or answer nothing (undefined). */
  intercept: (request: RequestBody, honest: () => Promise<ResponseBody>) => Promise<ResponseBody | undefined> = (_, honest) => honest()
  readonly #world: FakeWorld
  readonly #prepared = new Map<string, FakeShare>()
  readonly #proposed = new Map<string, Propose>()
  /** The verdicts on the way: an attempt that came right behind its proposal waits for it. */
  readonly #judging = new Map<string, Promise<unknown>>()
  readonly #denied = new Set<string>()
  #transport: Transport | undefined

  constructor(world: FakeWorld, member: NodeMember) {
    this.#world = world
    this.member = member
    for (const { index } of world.lock.nodes) if (index !== member.index) this.pairs.set(index, 'ready')
  }

  get index(): PartyId {
    return this.member.index
  }

  async start(): Promise<void> {
    const { hub, lock } = this.#world
    const transport = memoryTransport(hub, { lock, self: this.member.name })
    this.#transport = transport
    this.#proposed.clear()
    this.#denied.clear()
    await transport.start({
      frame: (from, frame) => void this.#frame(transport, from, frame),
      linkUp: () => undefined,
      linkDown: () => undefined,
    })
  }

  /** Like SIGKILL. `start` brings it back, with its keys and pairs and without its proposals. */
  kill(): void {
    this.#world.hub.kill(this.member)
    this.#world.sessions.died(this.index)
    this.#transport = undefined
  }

  /** Sends any frame to the coordinator. */
  send(frame: Frame | Uint8Array): void {
    const to = this.#world.lock.coordinators[0] as Member
    this.#transport?.send(to, frame instanceof Uint8Array ? frame : encode(Frame, frame))
  }

  async #frame(transport: Transport, from: Member, bytes: Uint8Array): Promise<void> {
    const { body } = decode(Frame, bytes)
    if (from.kind !== 'coordinator' || !('request' in body)) return
    const { id, body: request } = body.request
    if ('sign' in request) {
      const { requestId, attempt, signers, epoch } = request.sign
      this.#world.signs.push({ node: this.index, requestId: toHex(requestId), attempt, signers, epoch })
    }
    if ('renewKey' in request) this.#world.renewals.push({ node: this.index, renew: request.renewKey })
    const answer = await ('propose' in request ? this.#judge(request) : this.intercept(request, () => this.#answer(request)))
    if (answer === undefined || transport !== this.#transport) return
    if (!transport.links().some((l) => l.member.name === from.name && l.up)) return
    transport.send(from, encode(Frame, { body: { response: { id, body: answer } } }))
  }

  /** What it does not allow it does not remember either, as a node. */
  async #judge(request: Extract<RequestBody, { propose: unknown }>): Promise<ResponseBody | undefined> {
    const name = toHex(request.propose.requestId)
    const judging = this.intercept(request, () => this.#answer(request))
    this.#judging.set(name, judging)
    const answer = await judging
    if (answer === undefined || !('verdict' in answer)) return answer
    this.#denied.delete(name)
    if (answer.verdict.allowed) return answer
    this.#proposed.delete(name)
    this.#denied.add(name)
    return answer
  }

  async #answer(request: RequestBody): Promise<ResponseBody> {
    if ('status' in request) return { status: this.status() }
    if ('createKey' in request) return await this.#createKey(request.createKey)
    if ('renewKey' in request) return await this.#renewKey(request.renewKey)
    if ('propose' in request) return this.#propose(request.propose)
    if ('sign' in request) return await this.#sign(request.sign)
    if ('look' in request) return fakeLook(request.look, this.shows)
    return failure('UNEXPECTED', { retriable: false })
  }

  status(): NodeStatus {
    const { index, name } = this.member
    const pairId = (peer: PartyId) => tagged('fake-pair', u32(Math.min(index, peer)), u32(Math.max(index, peer)))
    return {
      index,
      name,
      version: 'fake',
      hsmOk: this.hsmOk,
      auditCode: this.auditCode,
      hsms: this.hsms,
      keys: [...this.keys].map(([keyId, { epoch, threshold, parties, state, prepared }]) => {
        const { secret, chainCode } = this.#world.keys.get(keyId) as FakeKey
        const highest = Math.max(prepared, this.#prepared.get(keyId)?.epoch ?? 0)
        const publicKey = secp256k1.getPublicKey(secret)
        const backup = { backedUp: this.backups.has(keyId), backupEpoch: this.backups.get(keyId) ?? 0 }
        const phase = this.phases.get(keyId) ?? 'active'
        return { keyId, epoch, publicKey, chainCode, threshold, parties, state, prepared: highest, phase, ...backup }
      }),
      pairs: [...this.pairs].map(([peer, state]) => ({
        peer,
        pairEpoch: 1,
        state,
        pairId: state === 'ready' ? (this.otherPairs.has(peer) ? tagged('fake-other-pair') : pairId(peer)) : fromHex(''),
        code: state === 'burned' ? this.burnCode : '',
        stock: this.stock,
      })),
      ...{ sent: fromHex('0000000000000400'), received: fromHex('0000000000000200') },
      ...{ loopP99Us: 100, loopMaxUs: 200, cpuMs: 300, ...this.standing },
      pool: { made: 40, used: 30, missed: 3, mismatched: 2, dropped: 1, refills: 5, declined: 6, failed: 7 },
      erasures: this.erasures,
    }
  }

  async #createKey({ keyId, nonce, threshold, parties }: CreateKey) {
    if (this.keys.has(keyId)) return failure('KEY_EXISTS', { retriable: false })
    const aborted = await this.#world.sessions.join(`key ${toHex(nonce)}`, parties, this.index)
    if (aborted !== undefined) return failure('SESSION_ABORTED', { waitingFor: [aborted.missing] })
    const chainCode = tagged('fake-chain-code', nonce)
    const key = this.#world.keys.get(keyId) ?? { secret: tagged('fake-key', nonce), chainCode, threshold, parties }
    this.#world.keys.set(keyId, key)
    this.giveKey(keyId, key)
    return this.#keyCreated(keyId)
  }

  /** A first share of a key. */
  giveKey(keyId: string, { threshold, parties }: Pick<FakeKey, 'threshold' | 'parties'>): void {
    this.keys.set(keyId, { epoch: 0, threshold, parties, state: 'active', prepared: 0, before: undefined })
  }

  /** Changes what it holds, behind everybody's back. */
  changeShare(keyId: string, change: Partial<FakeShare>): void {
    this.keys.set(keyId, { ...(this.keys.get(keyId) as FakeShare), ...change })
  }

  /** Goes on to what it has prepared. */
  promote(keyId: string): void {
    const prepared = this.#prepared.get(keyId)
    if (prepared !== undefined) this.keys.set(keyId, prepared)
  }

  #keyCreated(keyId: string): ResponseBody {
    const { secret, chainCode } = this.#world.keys.get(keyId) as FakeKey
    const epoch = this.keys.get(keyId)?.epoch ?? 0
    return { keyCreated: { keyId, publicKey: secp256k1.getPublicKey(secret), chainCode, epoch } }
  }

  async #renewKey(renew: RenewKey): Promise<ResponseBody> {
    const { keyId, epoch, nonce, parties, dealers } = renew
    const share = this.keys.get(keyId)
    if (share?.epoch === epoch) return this.#keyCreated(keyId)
    const prepared = Math.max(this.#prepared.get(keyId)?.epoch ?? 0, share?.prepared ?? 0)
    const refusal = this.refuses ?? refusalOf(renew, this.index, share, prepared)
    const participants = [...new Set([...parties, ...dealers])].sort((a, b) => a - b)
    const session = `renew ${toHex(nonce)}`
    if (refusal !== undefined) {
      this.#world.sessions.refuse(session, participants, this.index)
      return failure(refusal, { retriable: isRetriable(refusal) })
    }
    const aborted = await this.#world.sessions.join(session, participants, this.index)
    if (aborted !== undefined) return failure('SESSION_ABORTED', { waitingFor: [aborted.missing] })
    this.#prepared.set(keyId, renewedShare(renew, share))
    if (this.holdsBack) return failure('KEY_PENDING')
    this.promote(keyId)
    return this.#keyCreated(keyId)
  }

  #propose(propose: Propose): ResponseBody {
    if (!this.keys.has(propose.keyId)) return failure('UNKNOWN_KEY', { retriable: false })
    this.#proposed.set(toHex(propose.requestId), propose)
    const digests = digestsIn(propose, this.#world.keys.get(propose.keyId) as FakeKey).map(({ digest }) => digest)
    const said = { code: 'ALLOWED', reason: 'fake', rule: 'any', digests, statement: this.statement }
    return { verdict: { requestId: propose.requestId, allowed: true, ...said } }
  }

  async #sign({ requestId, attempt, signers, epoch }: Sign): Promise<ResponseBody> {
    const session = `sign ${toHex(requestId)} ${attempt} ${signers.join()}`
    await this.#judging.get(toHex(requestId))
    if (this.#denied.has(toHex(requestId))) {
      this.#world.sessions.refuse(session, signers, this.index)
      return failure('POLICY_DENY_RULE', { retriable: false })
    }
    const proposed = this.#proposed.get(toHex(requestId))
    if (proposed === undefined) return failure('UNKNOWN_REQUEST', { retriable: false })
    const refusal = signingRefusal(this.keys.get(proposed.keyId), epoch, signers.length, this.signsBefore)
    if (refusal !== undefined) return failure(refusal)
    const aborted = await this.#world.sessions.join(session, signers, this.index)
    if (aborted !== undefined) return failure('SESSION_ABORTED', { waitingFor: [aborted.missing] })
    const key = this.#world.keys.get(proposed.keyId) as FakeKey
    const items = digestsIn(proposed, key).map(({ digest, path }) => signedItem(digest, childSecret(key, path)))
    return { signed: { requestId, items, bytesSent: 1000 } }
  }
}
