import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { ConfigError, messageOf, PARTIES_MAX } from '@conclave/core'
import { parseYamlFile } from '@conclave/core/yaml-file'
import { type DecodingSettings, decodingSettings, withPaths } from '@conclave/policy'
import { type HsmSettings, PROFILE_NAMES } from '@conclave/vault'
import { CUSTODIANS_MAX } from '@conclave/wire'
import { z } from 'zod'
import { isRecipient } from './backup/age-file.ts'
import { REQUIRED_MIN } from './backup/backup-file.ts'
import type { BackupPlan } from './backup/make-backup.ts'
import { CLOCK_SKEW_MAX_MS } from './ledger/clock-guard.ts'
import type { WaterMarks } from './pool/refill.ts'
import { STOCK_MAX } from './pool/stock.ts'

/** As in a cluster lock. */
const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/

const PinSource = z.union([
  z.strictObject({ file: z.string().min(1) }),
  z.strictObject({ env: z.string().min(1) }),
  z.strictObject({ credential: z.string().min(1) }),
  z.strictObject({ prompt: z.literal(true) }),
])

const timeout = z.int().min(100).max(600_000)

const Hsm = z.strictObject({
  name: z.string().regex(NAME),
  module: z.string().min(1),
  token: z.string().min(1).max(32),
  serial: z.string().optional(),
  pin: PinSource,
  env: z.record(z.string(), z.string()).optional(),
  libraryParameters: z.string().min(1).optional(),
  profile: z.enum(PROFILE_NAMES).optional(),
  kek: z.strictObject({ label: z.string().min(1).optional(), id: z.string().min(1).optional() }).optional(),
  requestTimeoutMs: timeout.optional(),
  startTimeoutMs: timeout.optional(),
})

const mark = (initial: number) => z.int().min(0).max(STOCK_MAX).default(initial)

const Pool = z
  .strictObject({ low: mark(50), high: mark(200) })
  .refine(({ low, high }) => low <= high, { message: 'must not be above "high"', path: ['low'] })

const isSet = (list: readonly string[]) => new Set(list).size === list.length

const Backup = z
  .strictObject({
    custodians: z
      .array(
        z.strictObject({
          name: z.string().regex(NAME),
          recipient: z.string().refine(isRecipient, { message: 'must be an age recipient: age1...' }),
        }),
      )
      .min(REQUIRED_MIN)
      .max(CUSTODIANS_MAX)
      .refine((all) => isSet(all.map((c) => c.name)) && isSet(all.map((c) => c.recipient)), {
        message: 'two custodians share a name or a recipient',
      }),
    required: z.int().min(REQUIRED_MIN),
  })
  .refine(({ custodians, required }) => required <= custodians.length, {
    message: 'must not be above the number of custodians',
    path: ['required'],
  })

/** How long a node that was told to stop goes on with what it has in hand, unless its settings say so. */
const DRAIN_MS = 5_000

type HsmInput = z.output<typeof Hsm>

const Settings = z.strictObject({
  cluster: z.strictObject({ lock: z.string().min(1), abandonKeys: z.array(z.string().min(1)).max(4096).default([]) }),
  node: z.strictObject({ name: z.string().regex(NAME, 'must be 1 to 32 characters of a-z, 0-9 and "-"') }),
  hsm: z.array(Hsm).min(1).max(4),
  identity: z.strictObject({ hsm: z.string().regex(NAME) }).optional(),
  p2p: z.strictObject({ listen: z.array(z.string().startsWith('/')).min(1).max(8) }),
  store: z.strictObject({ path: z.string().min(1) }),
  keys: z.strictObject({ activation: z.enum(['automatic', 'explicit']).default('automatic') }).prefault({}),
  signing: z
    .strictObject({
      maxConcurrent: z.int().min(1).max(256).default(32),
      silenceTimeoutMs: z.int().min(1_000).max(600_000).default(30_000),
      pool: Pool.prefault({}),
    })
    .prefault({}),
  policy: z.strictObject({
    file: z.string().min(1),
    overlay: z.string().min(1).optional(),
    clockSkewMaxMs: z.int().min(100).max(60_000).default(CLOCK_SKEW_MAX_MS),
  }),
  decoding: decodingSettings.prefault({}),
  backup: Backup.optional(),
  audit: z
    .strictObject({
      path: z.string().min(1).default('./audit'),
      witnesses: z
        .strictObject({
          required: z
            .int()
            .min(0)
            .max(PARTIES_MAX - 1)
            .optional(),
        })
        .prefault({}),
      checkpoint: z
        .strictObject({ entries: z.int().min(1).max(100_000).default(1_000), seconds: z.int().min(1).max(3_600).default(10) })
        .prefault({}),
      postQuantum: z.boolean().default(false),
      // The one thing that a node can do then; it stands here so that nobody has to guess.
      onWriteFailure: z.literal('stop-signing').default('stop-signing'),
    })
    .prefault({}),
  admin: z.strictObject({ socket: z.string().min(1).default('./admin.sock') }).prefault({}),
  metrics: z.strictObject({ listen: z.string().regex(/^\S+:\d{1,5}$/, 'must be host:port') }).optional(),
  tracing: z.strictObject({ otlp: z.url({ protocol: /^https?$/ }) }).optional(),
  shutdown: z.strictObject({ drainMs: z.int().min(0).max(600_000).default(DRAIN_MS) }).prefault({}),
  log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']).default('info') }).prefault({}),
})

/** How a node keeps its log. */
export interface AuditSettings {
  /** A directory of its own. */
  readonly path: string
  /** How many other nodes must agree with the log before this one signs. Undefined: one less than a quorum. */
  readonly witnessesRequired: number | undefined
  readonly checkpointEntries: number
  readonly checkpointMs: number
  /** Sign checkpoints by ML-DSA-65 too. */
  readonly isPostQuantum: boolean
}

/** A node's settings file, every path absolute. */
export interface NodeSettings {
  readonly lockFile: string
  /** Keys that a new lock may lose; see `LOCK_LOSES_KEY`. */
  readonly abandonedKeys: readonly string[]
  readonly name: string
  /** In order of priority. */
  readonly hsms: readonly HsmSettings[]
  /** Which of them holds the node identity; the first unless it is named. */
  readonly identityHsm: string | undefined
  readonly listen: readonly string[]
  readonly storePath: string
  /** New keys sign nothing before their operator activates them. */
  readonly explicitActivation: boolean
  readonly maxConcurrent: number
  readonly silenceTimeoutMs: number
  /** Of the correlation pool. */
  readonly waterMarks: WaterMarks
  /** In force where the lock names no policy authors. */
  readonly policyFile: string
  /** What this node asks on top of the policy. */
  readonly overlayFile: string | undefined
  /** How far the clock may be from those of a quorum under rules that depend on the time. */
  readonly clockSkewMaxMs: number
  readonly decoding: DecodingSettings
  /** Who together can open this node's backups; without it none are made. */
  readonly backup: BackupPlan | undefined
  readonly audit: AuditSettings
  /** Where the operator talks to the running node. */
  readonly adminSocket: string
  /** `host:port` of `/metrics`, `/healthz` and `/readyz`; without it nobody listens. */
  readonly metricsListen: string | undefined
  /** URL of an OTLP collector of traces; without it nothing is traced. */
  readonly otlpUrl: string | undefined
  readonly drainMs: number
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
}

/**
 * Reads and validates a settings file.
 *
 * @throws {ConfigError} SETTINGS_UNREADABLE, BAD_SETTINGS with file and line.
 */
export function readSettings(file: string): NodeSettings {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new ConfigError('SETTINGS_UNREADABLE', `cannot read the settings file ${file}: ${messageOf(cause)}`, { file }, cause)
  }
  return parseSettings(text, file)
}

/** Paths of ours are relative to the settings file; what a vendor's library reads is its own affair. */
function hsmSettings({ pin, env, ...hsm }: HsmInput, at: (path: string) => string): HsmSettings {
  const placed =
    env === undefined ? {} : { env: Object.fromEntries(Object.entries(env).map(([k, v]) => [k, k === 'SOFTHSM2_CONF' ? at(v) : v])) }
  const socket = 'prompt' in pin ? { pinSocket: at(`hsm-${hsm.name}.pin.sock`) } : {}
  return { ...hsm, pin: 'file' in pin ? { file: at(pin.file) } : pin, ...placed, ...socket }
}

/**
 * Settings from their text; paths are relative to where `file` lies.
 *
 * @throws {ConfigError} BAD_SETTINGS with file and line.
 */
export function parseSettings(text: string, file: string): NodeSettings {
  const s = parseYamlFile(text, { file, schema: Settings, code: 'BAD_SETTINGS' })
  const base = dirname(resolve(file))
  const at = (path: string) => resolve(base, path)
  return {
    lockFile: at(s.cluster.lock),
    abandonedKeys: s.cluster.abandonKeys,
    name: s.node.name,
    hsms: s.hsm.map((h) => hsmSettings(h, at)),
    identityHsm: s.identity?.hsm,
    listen: s.p2p.listen,
    storePath: at(s.store.path),
    explicitActivation: s.keys.activation === 'explicit',
    maxConcurrent: s.signing.maxConcurrent,
    silenceTimeoutMs: s.signing.silenceTimeoutMs,
    waterMarks: s.signing.pool,
    policyFile: at(s.policy.file),
    overlayFile: s.policy.overlay === undefined ? undefined : at(s.policy.overlay),
    clockSkewMaxMs: s.policy.clockSkewMaxMs,
    decoding: withPaths(s.decoding, at),
    backup: s.backup,
    audit: {
      path: at(s.audit.path),
      witnessesRequired: s.audit.witnesses.required,
      checkpointEntries: s.audit.checkpoint.entries,
      checkpointMs: 1000 * s.audit.checkpoint.seconds,
      isPostQuantum: s.audit.postQuantum,
    },
    adminSocket: at(s.admin.socket),
    metricsListen: s.metrics?.listen,
    otlpUrl: s.tracing?.otlp,
    drainMs: s.shutdown.drainMs,
    logLevel: s.log.level,
  }
}
