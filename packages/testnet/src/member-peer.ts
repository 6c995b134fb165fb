import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadCoordinatorSettings, readIdentityFile, SETTINGS_FILE } from '@conclave/coordinator'
import { type ClusterLock, ConclaveError, codeOf, type IdentitySigner, type Member, nodeOf, parseLock, Timeout } from '@conclave/core'
import { type LinkStatus, libp2pTransport, type Transport } from '@conclave/transport'
import { decode, encode, Frame, type NodeStatus, type Request, type Response, type Signed } from '@conclave/wire'
import { until } from './child.ts'
import { OPEN_TERMS } from './open-terms.ts'

const LINK_TIMEOUT_MS = 60_000
const ANSWER_TIMEOUT_MS = 60_000

export interface PeerInit {
  readonly lock: ClusterLock
  /** Name in the lock. */
  readonly name: string
  readonly signer: IdentitySigner
  readonly listen: readonly string[]
}

export interface SignOrder {
  readonly requestId: Uint8Array
  readonly keyId: string
  /** The bytes of unsigned EIP-1559 transactions, which the key itself signs. */
  readonly payloads: readonly Uint8Array[]
  readonly signers: readonly number[]
  readonly attempt?: number
}

interface Open {
  readonly to: string
  settle(outcome: Response['body'] | ConclaveError): void
}

/**
 * A member of the lock whose program does not run: it speaks to the nodes in its place, well or badly. What the nodes answer is
 * theirs; this side holds no share and no store.
 */
export class MemberPeer {
  readonly lock: ClusterLock
  readonly #transport: Transport
  readonly #open = new Map<number, Open>()
  #lastId = 0

  private constructor(lock: ClusterLock, transport: Transport) {
    this.lock = lock
    this.#transport = transport
  }

  static async start({ lock, name, signer, listen }: PeerInit): Promise<MemberPeer> {
    const transport = libp2pTransport({ lock, self: name, signer, listen })
    const peer = new MemberPeer(lock, transport)
    await transport.start({
      frame: (from, bytes) => peer.#heard(from, bytes),
      linkUp: () => undefined,
      linkDown: (member) => peer.#lost(member),
    })
    return peer
  }

  /** Speaks for the coordinator whose directory this is; it must not be running. */
  static async coordinator(dir: string): Promise<MemberPeer> {
    const { cluster, coordinator, p2p } = await loadCoordinatorSettings(join(dir, SETTINGS_FILE))
    const lock = parseLock(JSON.parse(await readFile(cluster.lock, 'utf8')))
    return MemberPeer.start({
      lock,
      name: coordinator.name,
      signer: await readIdentityFile(coordinator.identity.file),
      listen: p2p.listen,
    })
  }

  links(): readonly LinkStatus[] {
    return this.#transport.links()
  }

  isUp(name: string): boolean {
    return this.links().some((l) => l.member.name === name && l.up)
  }

  async linked(names: readonly string[]): Promise<void> {
    const up = async () => names.every((name) => this.isUp(name))
    await until(up, { timeoutMs: LINK_TIMEOUT_MS, what: `links to ${names.join(', ')}` })
  }

  /** Any bytes at all. @throws {TransportError} when the link is not up. */
  send(name: string, bytes: Uint8Array): void {
    this.#transport.send(this.#member(name), bytes)
  }

  /** One request and its answer. @throws {ConclaveError} the failure that the node answered, PEER_LOST; {Timeout} NO_ANSWER. */
  ask(name: string, body: Request['body']): Promise<Exclude<Response['body'], { readonly failure: unknown }>> {
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#open.get(id)?.settle(new Timeout('NO_ANSWER', `${name} did not answer`, [])), ANSWER_TIMEOUT_MS)
      const settle: Open['settle'] = (outcome) => {
        clearTimeout(timer)
        this.#open.delete(id)
        if (outcome instanceof ConclaveError) reject(outcome)
        else if ('failure' in outcome) reject(new ConclaveError(outcome.failure.code, outcome.failure.message))
        else resolve(outcome)
      }
      this.#open.set(id, { to: name, settle })
      try {
        this.send(name, encode(Frame, { body: { request: { id, traceparent: '', body } } }))
      } catch (error) {
        settle(error instanceof ConclaveError ? error : new ConclaveError(codeOf(error), String(error)))
      }
    })
  }

  async status(name: string): Promise<NodeStatus> {
    const body = await this.ask(name, { status: {} })
    if (!('status' in body)) throw new ConclaveError('BAD_ANSWER', `${name} answered something else`)
    return body.status
  }

  /** Proposes to the signers and lets exactly them sign. @returns what each of them answered. @throws like `ask`. */
  async sign({ requestId, keyId, payloads, signers, attempt = 1 }: SignOrder): Promise<readonly Signed[]> {
    const names = signers.map((i) => nodeOf(this.lock, i)?.name ?? '')
    const propose = {
      requestId,
      keyId,
      payloadType: 'evm.tx',
      items: payloads.map((payload) => ({ payload, path: [] })),
      terms: OPEN_TERMS,
    }
    await Promise.all(names.map((name) => this.ask(name, { propose })))
    const answers = await Promise.all(
      names.map((name) => this.ask(name, { sign: { requestId, attempt, signers: [...signers], epoch: 0 } })),
    )
    return answers.map((body) => {
      if (!('signed' in body)) throw new ConclaveError('BAD_ANSWER', 'a node answered something else')
      return body.signed
    })
  }

  async stop(): Promise<void> {
    await this.#transport.stop()
    for (const open of [...this.#open.values()]) open.settle(new ConclaveError('STOPPED', 'this side has stopped'))
  }

  #member(name: string): Member {
    const member = [...this.lock.nodes, ...this.lock.coordinators].find((m) => m.name === name)
    if (member === undefined) throw new ConclaveError('NOT_A_MEMBER', `"${name}" is not in the lock`)
    return member
  }

  #heard(from: Member, bytes: Uint8Array): void {
    const { body } = decode(Frame, bytes)
    if (!('response' in body)) return
    const open = this.#open.get(body.response.id)
    if (open?.to === from.name) open.settle(body.response.body)
  }

  #lost(member: Member): void {
    for (const open of [...this.#open.values()]) {
      if (open.to === member.name) open.settle(new ConclaveError('PEER_LOST', `the link to ${member.name} went down`))
    }
  }
}
