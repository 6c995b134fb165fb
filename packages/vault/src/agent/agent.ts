import { createHash } from 'node:crypto'
import { profileOfRecord } from '../profile.ts'
import { Cryptoki } from './cryptoki.ts'
import { AgentFault } from './fault.ts'
import { Generations } from './generations.ts'
import { CKM_ECDSA, CKM_EDDSA } from './objects.ts'
import { PinHolder, readPin } from './pin.ts'
import { listenForPin, type PinListener, sendPin } from './pin-socket.ts'
import { probeToken } from './probe.ts'
import type {
  AgentRequest,
  AgentSettings,
  Batched,
  BatchedReply,
  Operation,
  Reply,
  RequestBody,
  SigningUse,
  TokenDescription,
} from './protocol.ts'
import { provisionToken } from './provision-token.ts'
import { openTerminal, type Prompt } from './terminal.ts'
import { faultOf, TokenConnection } from './token.ts'

/** How long a person may take. */
export const ASK_MS = 300_000

interface Started {
  readonly settings: AgentSettings
  readonly cryptoki: Cryptoki
  readonly pin: PinHolder
  readonly listener: PinListener | undefined
  readonly token: TokenConnection
  readonly generations: Generations
}

/** Answers requests about one token, one after the other. */
export class Agent {
  #started: Started | undefined
  #prompt: Prompt | undefined

  /** What needs a person is answered later; nothing else is asked meanwhile. @throws {AgentFault} */
  answer(request: AgentRequest): Reply<Operation> | Promise<null> {
    switch (request.op) {
      case 'ask':
        return this.#ask()
      case 'handOver':
        return sendPin(request.body, this.#live.pin.pin)
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
      case 'probe': {
        const { cryptoki, settings, token } = this.#live
        return token.run((c) => probeToken(cryptoki, settings, token, c))
      }
      case 'keks':
        return this.#live.token.run((c) => this.#generations.report(c))
      case 'make-kek': {
        const generation = request.body
        this.#live.token.run((c) => this.#generations.make(c, generation))
        return this.#describe()
      }
      case 'destroy-kek': {
        const kek = request.body
        this.#live.token.run((c) => this.#generations.destroy(c, kek))
        return null
      }
      case 'batch':
        return request.body.map((each) => this.#answerOne(each))
      case 'provision': {
        const { cryptoki, settings, pin } = this.#live
        provisionToken(cryptoki, settings, pin.pin, request.body)
        return this.#describe()
      }
      case 'close':
        this.close()
        return null
    }
  }

  close(): void {
    this.#prompt?.close()
    this.#started?.listener?.close()
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

  get #generations(): Generations {
    return this.#live.generations
  }

  #start(settings: AgentSettings): null {
    if (this.#started !== undefined) throw new AgentFault('UNSUPPORTED', 'the HSM agent was started twice')
    // First, so that a PIN from the environment is gone before foreign code is loaded.
    const isPrompted = 'prompt' in settings.pin
    const pin = isPrompted ? new PinHolder() : PinHolder.of(readPin(settings.pin))
    const cryptoki = new Cryptoki(settings.module)
    const listener = isPrompted && settings.pinSocket !== undefined ? listenForPin(settings.pinSocket, pin) : undefined
    const token = new TokenConnection(cryptoki, settings, pin)
    this.#started = { settings, cryptoki, pin, listener, token, generations: new Generations(cryptoki, settings, token) }
    return null
  }

  async #ask(): Promise<null> {
    const { settings, pin, listener } = this.#live
    const terminal = pin.isThere ? undefined : openTerminal()
    if (pin.isThere || (terminal === undefined && listener === undefined)) {
      pin.require()
      return null
    }
    this.#prompt = terminal?.ask(`PIN of HSM ${settings.name} (token ${settings.token}): `)
    // Whoever comes first. A PIN that is typed is put here, one that is sent has been put by the listener.
    const typed = this.#prompt?.answer.then((bytes) => pin.put(bytes, 'the terminal')) ?? new Promise<never>(() => undefined)
    const patience = Promise.withResolvers<void>()
    const timer = setTimeout(patience.resolve, ASK_MS)
    try {
      await Promise.race([typed, pin.arrived, patience.promise])
      pin.require()
      return null
    } finally {
      clearTimeout(timer)
      this.#prompt?.close()
      this.#prompt = undefined
    }
  }

  #describe(): TokenDescription {
    const { token } = this.#live
    return token.run((c) => {
      const pointOf = (use: SigningUse) => {
        const found = token.signingKey(c, use)
        return found === undefined ? undefined : { type: found.type, point: found.point }
      }
      const sealing = token.sealing(c)
      return {
        tokenSerial: c.token.serial,
        kekId: sealing.id,
        kekGeneration: sealing.generation,
        profile: sealing.choice.profile.name,
        identity: pointOf('identity'),
        checkpoint: pointOf('checkpoint'),
      }
    })
  }

  #wrap({ aad, dek }: RequestBody<'wrap'>): Reply<'wrap'> {
    const { token } = this.#live
    try {
      return token.run((c) => {
        const { id, generation, choice } = token.sealing(c)
        const { iv, wrapped } = token.wrap(c, aad, dek)
        const kek = { kekId: id, kekGeneration: generation, profile: choice.profile.id, mechanism: choice.mechanism }
        return { tokenSerial: c.token.serial, ...kek, iv, wrapped }
      })
    } finally {
      dek.fill(0)
    }
  }

  #unwrap({ aad, key }: RequestBody<'unwrap'>): Uint8Array {
    const { token } = this.#live
    const profile = profileOfRecord(key.profile, key.mechanism)
    if (profile === undefined) throw new AgentFault('UNSUPPORTED', 'the record uses an unknown wrap profile')
    return token.run((c) => {
      if (c.token.serial !== key.tokenSerial)
        throw new AgentFault('KEY_MISSING', `the record was sealed by token ${key.tokenSerial}, this is ${c.token.serial}`)
      return token.unwrap(c, { id: key.kekId, generation: key.kekGeneration }, { profile, mechanism: key.mechanism }, aad, key)
    }, true)
  }

  #random(length: number): Uint8Array {
    return this.#live.token.run(({ work }) => work.random(length))
  }

  #sign({ use, message }: RequestBody<'sign'>): Uint8Array {
    const { token } = this.#live
    return token.run((c) => {
      const key = token.signingKey(c, use)
      if (key === undefined) throw new AgentFault('KEY_MISSING', `the token holds no ${use} key`)
      if (key.type === 'ed25519') return c.work.sign(CKM_EDDSA, key.privateKey, message)
      // Hashed here: CKM_ECDSA_SHA256 is missing on SoftHSM.
      return c.work.sign(CKM_ECDSA, key.privateKey, createHash('sha256').update(message).digest())
    })
  }

  #ping(): null {
    const { token } = this.#live
    token.run((c) => token.roundTrip(c))
    return null
  }
}
