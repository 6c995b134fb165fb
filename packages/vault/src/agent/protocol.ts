import type { VaultCode } from '../codes.ts'
import type { Kek, KekReport, WrappedKey } from '../hsm.ts'
import type { TokenProbe } from '../probe-report.ts'
import type { ProfileName } from '../profile.ts'
import type { PinSource } from '../settings.ts'

/** What an agent knows about its HSM. The PIN is a reference. */
export interface AgentSettings {
  readonly name: string
  readonly module: string
  readonly token: string
  readonly serial: string | undefined
  readonly pin: PinSource
  /** What the module takes at C_Initialize; NSS wants something. */
  readonly libraryParameters: string | undefined
  /** Undefined: the first in order of preference that the KEK can do. */
  readonly profile: ProfileName | undefined
  readonly kekLabel: string
  readonly kekId: string | undefined
  /** Where to listen for a PIN that a person is to bring. */
  readonly pinSocket?: string | undefined
  /** A person types the PIN for one login: a token's last try may be used. */
  readonly isAttended?: boolean | undefined
}

export type SigningKeyType = 'ed25519' | 'secp256k1' | 'p256'

/** What a token signs with: as the node, or the checkpoints of its log. */
export type SigningUse = 'identity' | 'checkpoint'

/** CKA_EC_POINT as the token gave it. */
export interface TokenPoint {
  readonly type: SigningKeyType
  readonly point: Uint8Array
}

export interface TokenDescription {
  readonly tokenSerial: string
  readonly kekId: string
  readonly kekGeneration: number
  /** What seals. */
  readonly profile: ProfileName
  readonly identity: TokenPoint | undefined
  readonly checkpoint: TokenPoint | undefined
}

/** `any`: the first in order of preference that the token makes. `any-or-none`: and none when it makes none. */
export type WantedKey = SigningKeyType | 'any' | 'any-or-none' | 'none'

export interface ProvisionBody {
  /** Initialise a new token first, with this SO PIN. */
  readonly soPin: PinSource | undefined
  readonly identity: WantedKey
  readonly checkpoint: WantedKey
  /** `adopt`: a vendor's tool has made the KEK, and the HMAC key if there is one. */
  readonly kek: 'generate' | 'adopt'
}

/** Operation name -> [request body, reply]. */
export interface AgentOperations {
  start: [AgentSettings, null]
  describe: [null, TokenDescription]
  wrap: [{ readonly aad: Uint8Array; readonly dek: Uint8Array }, WrappedKey]
  unwrap: [{ readonly aad: Uint8Array; readonly key: WrappedKey }, Uint8Array]
  sign: [{ readonly use: SigningUse; readonly message: Uint8Array }, Uint8Array]
  random: [number, Uint8Array]
  ping: [null, null]
  /** Answered when the PIN is there: from the terminal, if there is one, or through the PIN socket. */
  ask: [null, null]
  /** Gives the PIN to the agent that listens on this socket. */
  handOver: [string, null]
  probe: [null, TokenProbe]
  keks: [null, KekReport]
  'make-kek': [number, TokenDescription]
  'destroy-kek': [Kek, null]
  /** Several at once, answered in their order, each by itself: one of them that fails fails alone. */
  batch: [readonly Batched[], readonly BatchedReply[]]
  provision: [ProvisionBody, TokenDescription]
  close: [null, null]
}

export type Operation = keyof AgentOperations
/** What every signing asks for several times. */
export type BatchedOperation = 'unwrap' | 'random'
export type RequestBody<Op extends Operation> = AgentOperations[Op][0]
export type Reply<Op extends Operation> = AgentOperations[Op][1]

export type AgentRequest = { [Op in Operation]: { readonly id: number; readonly op: Op; readonly body: RequestBody<Op> } }[Operation]

export interface FaultReply {
  readonly code: VaultCode
  readonly message: string
  readonly details: Readonly<Record<string, string | number>>
}

export type Batched = { [Op in BatchedOperation]: { readonly op: Op; readonly body: RequestBody<Op> } }[BatchedOperation]
export type BatchedReply = { readonly result: Uint8Array } | { readonly fault: FaultReply }

export type AgentReply = { readonly id: number; readonly result: Reply<Operation> } | { readonly id: number; readonly fault: FaultReply }
