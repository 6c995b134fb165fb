import { type Clock, systemClock } from '@conclave/core'
import type { AgentSettings, ProvisionBody, SigningUse, TokenDescription, TokenPoint } from './agent/protocol.ts'
import { AgentProcess } from './agent-process.ts'
import type { Hsm, HsmDescription, Kek, KekReport, WrappedKey } from './hsm.ts'
import { parseEcPoint } from './identity-signer.ts'
import type { TokenProbe } from './probe-report.ts'
import type { HsmSettings } from './settings.ts'

const REQUEST_TIMEOUT_MS = 5_000
const START_TIMEOUT_MS = 15_000
/** Key generation on a slow device. */
const PROVISION_TIMEOUT_MS = 120_000
export const KEK_LABEL = 'conclave-kek'

/** What an agent is told of its HSM. */
export function agentSettings(hsm: HsmSettings): AgentSettings {
  return {
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
  readonly #agent: AgentProcess
  #description: HsmDescription | undefined

  constructor(settings: HsmSettings, clock: Clock = systemClock) {
    this.name = settings.name
    this.#agent = new AgentProcess({
      settings: agentSettings(settings),
      env: settings.env ?? {},
      requestTimeoutMs: settings.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
      startTimeoutMs: settings.startTimeoutMs ?? START_TIMEOUT_MS,
      clock,
    })
  }

  async describe(): Promise<HsmDescription> {
    return this.#description ?? this.#learn(await this.#agent.request('describe', null))
  }

  /** The ceremony; see provisionHsm. */
  async provision(body: ProvisionBody): Promise<HsmDescription> {
    return this.#learn(await this.#agent.request('provision', body, PROVISION_TIMEOUT_MS))
  }

  wrap(aad: Uint8Array, dek: Uint8Array): Promise<WrappedKey> {
    return this.#agent.request('wrap', { aad, dek })
  }

  unwrap(aad: Uint8Array, { tokenSerial, kekId, kekGeneration, profile, mechanism, iv, wrapped }: WrappedKey): Promise<Uint8Array> {
    return this.#agent.request('unwrap', { aad, key: { tokenSerial, kekId, kekGeneration, profile, mechanism, iv, wrapped } })
  }

  sign(use: SigningUse, message: Uint8Array): Promise<Uint8Array> {
    return this.#agent.request('sign', { use, message })
  }

  random(length: number): Promise<Uint8Array> {
    return this.#agent.request('random', length)
  }

  async ping(): Promise<void> {
    await this.#agent.request('ping', null)
  }

  /** What the token really does. */
  probe(): Promise<TokenProbe> {
    return this.#agent.request('probe', null, PROVISION_TIMEOUT_MS)
  }

  async forgive(): Promise<void> {
    this.#agent.forgive()
  }

  keks(): Promise<KekReport> {
    return this.#agent.request('keks', null, PROVISION_TIMEOUT_MS)
  }

  async makeKek(generation: number): Promise<void> {
    this.#learn(await this.#agent.request('make-kek', generation, PROVISION_TIMEOUT_MS))
  }

  async destroyKek({ generation, id }: Kek): Promise<void> {
    await this.#agent.request('destroy-kek', { generation, id })
  }

  close(): Promise<void> {
    return this.#agent.close()
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
