import { type Clock, systemClock } from '@conclave/core'
import type {
  AgentSettings,
  Operation,
  ProvisionBody,
  Reply,
  RequestBody,
  SigningUse,
  TokenDescription,
  TokenPoint,
} from './agent/protocol.ts'
import { AgentProcess } from './agent-process.ts'
import type { Hsm, HsmDescription, Kek, KekReport, WrappedKey } from './hsm.ts'
import { parseEcPoint } from './identity-signer.ts'
import type { TokenProbe } from './probe-report.ts'
import type { HsmSettings } from './settings.ts'
import { vaultError } from './vault-error.ts'

const REQUEST_TIMEOUT_MS = 5_000
const START_TIMEOUT_MS = 15_000
/** Key generation on a slow device. */
const PROVISION_TIMEOUT_MS = 120_000
export const KEK_LABEL = 'conclave-kek'

/** Longer than the agent itself gives a person, so that it puts its terminal back before it could be killed. */
const ASK_TIMEOUT_MS = 330_000

/** What an agent is told of its HSM. @param isAttended - a person types the PIN: its last try may be used. */
export function agentSettings(hsm: HsmSettings, isAttended = false): AgentSettings {
  return {
    isAttended,
    pinSocket: hsm.pinSocket,
    name: hsm.name,
    module: hsm.module,
    token: hsm.token,
    serial: hsm.serial,
    pin: hsm.pin,
    libraryParameters: hsm.libraryParameters,
    profile: hsm.profile,
    kekLabel: hsm.kek?.label ?? KEK_LABEL,
    kekId: hsm.kek?.id,
  }
}

/** One PKCS#11 token, behind its agent process. Starts nothing before it is used. */
export class Pkcs11Hsm implements Hsm {
  readonly name: string
  /** Where its agent takes a PIN that a person is to bring. */
  readonly pinSocket: string | undefined
  readonly #agent: AgentProcess
  #asking: Promise<void> | undefined
  #description: HsmDescription | undefined

  /** @param isAttended - a person types the PIN: its last try may be used. */
  constructor(settings: HsmSettings, { clock = systemClock, isAttended = false }: { clock?: Clock; isAttended?: boolean } = {}) {
    this.name = settings.name
    this.pinSocket = 'prompt' in settings.pin ? settings.pinSocket : undefined
    this.#agent = new AgentProcess({
      settings: agentSettings(settings, isAttended),
      env: settings.env ?? {},
      requestTimeoutMs: settings.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
      startTimeoutMs: settings.startTimeoutMs ?? START_TIMEOUT_MS,
      clock,
    })
  }

  async describe(): Promise<HsmDescription> {
    return this.#description ?? this.#learn(await this.#request('describe', null))
  }

  /** The ceremony; see provisionHsm. */
  async provision(body: ProvisionBody): Promise<HsmDescription> {
    return this.#learn(await this.#request('provision', body, PROVISION_TIMEOUT_MS))
  }

  wrap(aad: Uint8Array, dek: Uint8Array): Promise<WrappedKey> {
    return this.#request('wrap', { aad, dek })
  }

  unwrap(aad: Uint8Array, { tokenSerial, kekId, kekGeneration, profile, mechanism, iv, wrapped }: WrappedKey): Promise<Uint8Array> {
    return this.#request('unwrap', { aad, key: { tokenSerial, kekId, kekGeneration, profile, mechanism, iv, wrapped } })
  }

  sign(use: SigningUse, message: Uint8Array): Promise<Uint8Array> {
    return this.#request('sign', { use, message })
  }

  random(length: number): Promise<Uint8Array> {
    return this.#request('random', length)
  }

  async ping(): Promise<void> {
    await this.#request('ping', null)
  }

  /** What the token really does. */
  probe(): Promise<TokenProbe> {
    return this.#request('probe', null, PROVISION_TIMEOUT_MS)
  }

  async forgive(): Promise<void> {
    this.#agent.forgive()
  }

  /**
   * Has the agent ask a person for the PIN, on its terminal or through its socket. Meanwhile everything else is refused as PIN_NEEDED.
   *
   * @throws {VaultError} PIN_NEEDED when there is neither, or nobody came.
   */
  askPin(): Promise<void> {
    this.#asking ??= this.#agent.request('ask', null, ASK_TIMEOUT_MS).then(
      () => {
        this.#asking = undefined
      },
      (error: unknown) => {
        this.#asking = undefined
        throw error
      },
    )
    return this.#asking
  }

  /** Gives the PIN to the agent that listens on this socket: it goes from one agent to the other. */
  async handOver(pinSocket: string): Promise<void> {
    await this.#request('handOver', pinSocket)
  }

  keks(): Promise<KekReport> {
    return this.#request('keks', null, PROVISION_TIMEOUT_MS)
  }

  async makeKek(generation: number): Promise<void> {
    this.#learn(await this.#request('make-kek', generation, PROVISION_TIMEOUT_MS))
  }

  async destroyKek({ generation, id }: Kek): Promise<void> {
    await this.#request('destroy-kek', { generation, id })
  }

  close(): Promise<void> {
    if (this.#asking !== undefined) this.#agent.interrupt()
    return this.#agent.close()
  }

  #request<Op extends Operation>(op: Op, body: RequestBody<Op>, timeoutMs?: number): Promise<Reply<Op>> {
    if (this.#asking === undefined) return this.#agent.request(op, body, timeoutMs)
    const details = { hsm: this.name }
    return Promise.reject(vaultError('PIN_NEEDED', `hsm "${this.name}": waits for its PIN, which somebody is asked for`, { details }))
  }

  #learn({ tokenSerial, kekId, kekGeneration, profile, identity, checkpoint }: TokenDescription): HsmDescription {
    const keyAt = (p: TokenPoint | undefined) => (p === undefined ? undefined : parseEcPoint(p.type, p.point))
    this.#description = {
      tokenSerial,
      kekId,
      kekGeneration,
      profile,
      identity: keyAt(identity),
      checkpoint: keyAt(checkpoint),
    }
    // From here on, a token that has taken over the label is another one, for later agents too.
    this.#agent.pinSerial(tokenSerial)
    return this.#description
  }
}
