import { randomBytes } from 'node:crypto'
import { type IdentitySigner, type Member, type NodeMember, TransportError } from '@conclave/core'
import { decode, encode, Hello, Proof } from '@conclave/wire'
import { helloMismatch, isProof, NONCE_BYTES, proofMessage } from './hello.ts'
import { signWithin } from './identity-signer.ts'
import { mustProve } from './membership.ts'
import type { DownReason } from './transport.ts'

export interface HandshakeInit {
  readonly role: 'dialer' | 'acceptor'
  readonly self: Member
  readonly peer: Member
  readonly hello: Hello
  /** Needed when `self` must prove. */
  readonly identity: IdentitySigner | undefined
  readonly signTimeoutMs: number
  /** Whether an accepted link that agrees may become the link of its pair; asked again when much time may have passed. */
  readonly admit: () => boolean
}

/** What to send, and then: wait for a frame, sign (call `prove`), be up, or close for that reason. */
export interface Step {
  readonly send: readonly Uint8Array[]
  readonly next: 'wait' | 'sign' | 'up' | DownReason
}

const NOTHING = new Uint8Array(0)

/**
 * What passes on a link before frames do: a HELLO each way, dialer first. Where a member must prove its identity, the other side's
 * HELLO carries a fresh nonce, and proofs follow: the dialer's if it must, then the acceptor's, which is its consent.
 */
export class Handshake {
  readonly #init: HandshakeInit
  readonly #hello: Hello
  /** Whether we must prove, and whether they must. */
  readonly #proves: boolean
  readonly #asks: boolean
  #expects: 'hello' | 'proof' | 'nothing' = 'hello'
  #theirNonce: Uint8Array = NOTHING

  constructor(init: HandshakeInit) {
    this.#init = init
    this.#proves = mustProve(init.self)
    this.#asks = mustProve(init.peer)
    this.#hello = { ...init.hello, nonce: this.#asks ? Uint8Array.from(randomBytes(NONCE_BYTES)) : NOTHING }
  }

  /** Our HELLO: what a dialer begins with. */
  opening(): Uint8Array {
    return encode(Hello, this.#hello)
  }

  /** @throws {WireError}, {TransportError} HELLO_INVALID when the frame is not what has to come now. */
  receive(frame: Uint8Array): Step {
    if (this.#expects === 'hello') return this.#onHello(decode(Hello, frame))
    if (this.#expects === 'proof') return this.#onProof(decode(Proof, frame))
    throw invalid('a frame came before the link was up')
  }

  /** @throws {TransportError} IDENTITY_TIMEOUT, BAD_SIGNATURE; what the signer throws. */
  async prove(): Promise<Step> {
    const { identity, self, peer, role, signTimeoutMs } = this.#init
    if (identity === undefined) throw new TransportError('ASSERTION', 'broken invariant: a proof without an identity')
    const message = proofMessage({ hello: this.#hello, prover: self, verifier: peer, nonce: this.#theirNonce })
    const signature = await signWithin(identity, message, signTimeoutMs)
    if (role === 'acceptor') return this.#consent(signature)
    this.#expects = 'proof'
    return { send: [encode(Proof, { signature, consent: false })], next: 'wait' }
  }

  #onHello(theirs: Hello): Step {
    const accepting = this.#init.role === 'acceptor'
    const send = accepting ? [this.opening()] : []
    const mismatch = helloMismatch(this.#hello, theirs)
    if (mismatch !== undefined) return { send, next: mismatch }
    if (theirs.nonce.length !== (this.#proves ? NONCE_BYTES : 0)) throw invalid('a HELLO with a nonce too few, or too many')
    if (accepting && !this.#init.admit()) return { send: [], next: 'REPLACED' }
    this.#theirNonce = theirs.nonce
    if (!this.#proves && !this.#asks) return { send, next: 'up' }
    const waits = accepting ? this.#asks : !this.#proves
    this.#expects = waits ? 'proof' : 'nothing'
    return { send, next: waits ? 'wait' : 'sign' }
  }

  #onProof({ signature, consent }: Proof): Step {
    const { role, self, peer } = this.#init
    const dialling = role === 'dialer'
    if (consent !== dialling || (!this.#asks && signature.length > 0)) throw invalid('a proof that is not asked for')
    this.#expects = 'nothing'
    const proof = { hello: this.#hello, prover: peer as NodeMember, verifier: self, nonce: this.#hello.nonce }
    if (this.#asks && !isProof(proof, signature)) return { send: [], next: 'IDENTITY_UNPROVED' }
    if (dialling) return { send: [], next: 'up' }
    return this.#proves ? { send: [], next: 'sign' } : this.#consent(NOTHING)
  }

  #consent(signature: Uint8Array): Step {
    if (!this.#init.admit()) return { send: [], next: 'REPLACED' }
    return { send: [encode(Proof, { signature, consent: true })], next: 'up' }
  }
}

const invalid = (message: string) => new TransportError('HELLO_INVALID', message)
