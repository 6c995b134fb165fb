import { createHash } from 'node:crypto'
import { DEK_BYTES, findProfile, profileOf } from '../profile.ts'
import { Cryptoki } from './cryptoki.ts'
import { AgentFault } from './fault.ts'
import { CKM_ECDSA, CKM_EDDSA } from './objects.ts'
import { readPin } from './pin.ts'
import type { AgentRequest, AgentSettings, Batched, BatchedReply, Operation, Reply, RequestBody, TokenDescription } from './protocol.ts'
import { provisionToken } from './provision-token.ts'
import { faultOf, TokenConnection } from './token.ts'
import { tokenWrap } from './wrap.ts'

interface Started {
  readonly settings: AgentSettings
  readonly cryptoki: Cryptoki
  readonly pin: Buffer
  readonly token: TokenConnection
}

/** Answers requests about one token, one after the other. */
export class Agent {
  #started: Started | undefined

  /** @throws {AgentFault} */
  answer(request: AgentRequest): Reply<Operation> {
    switch (request.op) {
      case 'start':
        return this.#start(request.body)
      case 'describe':
        return this.#describe()
      case 'wrap':
        return this.#wrap(request.body)
      case 'unwrap':
        return this.#unwrap(request.body)
      case 'sign':
        return this.#sign(request.body)
      case 'random':
        return this.#random(request.body)
      case 'ping':
        return this.#ping()
      case 'batch':
        return request.body.map((each) => this.#answerOne(each))
      case 'provision': {
        const { cryptoki, settings, pin } = this.#live
        provisionToken(cryptoki, settings, pin, request.body)
        return this.#describe()
      }
      case 'close':
        this.close()
        return null
    }
  }

  close(): void {
    this.#started?.token.close()
    this.#started = undefined
  }

  #answerOne(request: Batched): BatchedReply {
    try {
      return { result: request.op === 'unwrap' ? this.#unwrap(request.body) : this.#random(request.body) }
    } catch (error) {
      const { code, message, details } = faultOf(error)
      return { fault: { code, message, details } }
    }
  }

  get #live(): Started {
    if (this.#started === undefined) throw new AgentFault('SESSION_LOST', 'the HSM agent was not started')
    return this.#started
  }

  #start(settings: AgentSettings): null {
    if (this.#started !== undefined) throw new AgentFault('UNSUPPORTED', 'the HSM agent was started twice')
    // First, so that a PIN from the environment is gone before foreign code is loaded.
    const pin = readPin(settings.pin)
    const cryptoki = new Cryptoki(settings.module)
    this.#started = { settings, cryptoki, pin, token: new TokenConnection(cryptoki, settings, pin) }
    return null
  }

  #describe(): TokenDescription {
    const { token } = this.#live
    return token.run((c) => {
      const identity = token.identity(c)
      return {
        tokenSerial: c.token.serial,
        kekId: token.sealingKek(c).id,
        identity: identity === undefined ? undefined : { type: identity.type, point: identity.point },
      }
    })
  }

  #wrap({ aad, dek }: RequestBody<'wrap'>): Reply<'wrap'> {
    const { token, settings } = this.#live
    const profile = profileOf(settings.profile)
    try {
      return token.run((c) => {
        const { handle, id } = token.sealingKek(c)
        const { iv, wrapped } = tokenWrap(profile).wrap(c.work, handle, aad, dek)
        if (wrapped.length !== profile.wrappedBytes)
          throw new AgentFault('UNSUPPORTED', `the token wrapped a key into ${wrapped.length} bytes`)
        return { tokenSerial: c.token.serial, kekId: id, profile: profile.id, mechanism: profile.mechanism, iv, wrapped }
      })
    } finally {
      dek.fill(0)
    }
  }

  #unwrap({ aad, key }: RequestBody<'unwrap'>): Uint8Array {
    const { token } = this.#live
    const profile = findProfile(key.profile)
    if (profile === undefined || profile.mechanism !== key.mechanism)
      throw new AgentFault('UNSUPPORTED', 'the record uses an unknown wrap profile')
    return token.run((c) => {
      if (c.token.serial !== key.tokenSerial)
        throw new AgentFault('KEY_MISSING', `the record was sealed by token ${key.tokenSerial}, this is ${c.token.serial}`)
      const dek = tokenWrap(profile).unwrap(c.work, token.kek(c, key.kekId), aad, key.iv, key.wrapped)
      if (dek.length !== DEK_BYTES) throw new AgentFault('TAMPER', 'the wrapped key has a wrong length')
      return dek
    }, true)
  }

  #random(length: number): Uint8Array {
    return this.#live.token.run(({ work }) => work.random(length))
  }

  #sign(message: Uint8Array): Uint8Array {
    const { token } = this.#live
    return token.run((c) => {
      const identity = token.identity(c)
      if (identity === undefined) throw new AgentFault('KEY_MISSING', 'the token holds no identity key')
      if (identity.type === 'ed25519') return c.work.sign(CKM_EDDSA, identity.privateKey, message)
      // Hashed here: CKM_ECDSA_SHA256 is missing on SoftHSM.
      return c.work.sign(CKM_ECDSA, identity.privateKey, createHash('sha256').update(message).digest())
    })
  }

  #ping(): null {
    const { token } = this.#live
    token.run((c) => token.roundTrip(c))
    return null
  }
}
