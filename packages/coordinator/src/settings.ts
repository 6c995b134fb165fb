import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { ConfigError } from '@conclave/core'
import { parseYamlFile, type YamlProblem } from '@conclave/core/yaml-file'
import { decodingSettings, withPaths } from '@conclave/policy'
import { z } from 'zod'
import { BY_SCHEDULE } from './schedule.ts'

/** Whose everything is that says nothing else. */
export const TENANT = 'main'

export const API_ROLES = ['viewer', 'requester', 'admin'] as const
export type ApiRole = (typeof API_ROLES)[number]

/** Bounds of a request's deadline, whoever sets it; people may take days. */
export const DEADLINE_MS_MIN = 100
export const DEADLINE_MS_MAX = 7 * 24 * 3_600_000

/** How long a coordinator that was told to stop goes on with the requests that sign, unless its settings say so. */
const DRAIN_MS = 5_000

const NAME = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must be 1 to 32 characters of a-z, 0-9 and "-"')
const PATH = z.string().min(1).max(4096)
const LISTEN = /^(?<host>\[[0-9a-f:.]+\]|[^\s:[\]]+):(?<port>\d{1,5})$/i
const SHA256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in 64 lower-case hexadecimal digits')
const duration = (min: number, max: number) => z.int().min(min).max(max)

const ApiKeySettings = z.strictObject({ name: NAME, role: z.enum(API_ROLES), tenant: NAME.default(TENANT), sha256: SHA256 })

const SigningSettings = z.strictObject({
  attemptTimeoutMs: duration(100, 600_000).default(30_000),
  deadlineMs: duration(DEADLINE_MS_MIN, DEADLINE_MS_MAX).default(120_000),
  maxAttempts: z.int().min(1).max(1000).default(10),
  parallel: z.int().min(1).max(256).default(32),
})

/** Either a directory for an embedded database, or a server, which several coordinators may share. */
const StoreSettings = z.strictObject({
  path: PATH.optional(),
  postgres: z
    .strictObject({
      url: z
        .string()
        .regex(/^postgres(ql)?:\/\/\S{1,2000}$/, 'must be postgres://...')
        .optional(),
      urlFile: PATH.optional(),
    })
    .optional(),
  /** How long a coordinator that is not heard of keeps what it drives. */
  leaseMs: duration(300, 600_000).default(10_000),
})

const Settings = z.strictObject({
  cluster: z.strictObject({ lock: PATH }),
  coordinator: z.strictObject({ name: NAME, identity: z.strictObject({ file: PATH }) }),
  http: z.strictObject({
    listen: z.string().regex(LISTEN, 'must be host:port'),
    bodyBytesMax: z
      .int()
      .min(1024)
      .max(4 << 20)
      .default(512 * 1024),
    rate: z
      .strictObject({ perSecond: z.int().min(1).max(1_000_000).default(200), burst: z.int().min(1).max(1_000_000).default(1000) })
      .prefault({}),
  }),
  p2p: z.strictObject({ listen: z.array(z.string().regex(/^\/[\x21-\x7e]{1,200}$/, 'must be a multiaddr')).max(8) }),
  store: StoreSettings,
  api: z.strictObject({ keys: z.array(ApiKeySettings).min(1, 'at least one API key must be configured').max(64) }),
  keys: z
    .strictObject({
      creationTimeoutMs: duration(1000, 3_600_000).default(180_000),
      renewalTimeoutMs: duration(1000, 3_600_000).default(300_000),
    })
    .prefault({}),
  signing: SigningSettings.prefault({}),
  metrics: z.strictObject({ listen: z.string().regex(LISTEN, 'must be host:port') }).optional(),
  tracing: z.strictObject({ otlp: z.url({ protocol: /^https?$/ }) }).optional(),
  shutdown: z.strictObject({ drainMs: duration(0, 600_000).default(DRAIN_MS) }).prefault({}),
  decoding: decodingSettings.prefault({}),
})

/** Everything that an operator can set. Paths are absolute after `parseCoordinatorSettings`. */
export type CoordinatorSettings = z.output<typeof Settings>
export type ApiKeySettings = z.output<typeof ApiKeySettings>
export type SigningSettings = z.output<typeof SigningSettings>

function twice(names: readonly string[]): string | undefined {
  return names.find((name, i) => names.indexOf(name) !== i)
}

function badKeys(settings: CoordinatorSettings, lineOf: (path: readonly PropertyKey[]) => number): readonly YamlProblem[] {
  const reserved = settings.api.keys.some((key) => key.name === BY_SCHEDULE)
    ? [{ line: lineOf(['api', 'keys']), message: `"${BY_SCHEDULE}" names the schedules of keys, not an API key` }]
    : []
  // The names tell who did what in the records; a repeated hash would make the role a matter of order.
  const repeated = (['name', 'sha256'] as const).flatMap((field) => {
    const value = twice(settings.api.keys.map((key) => key[field]))
    return value === undefined ? [] : [{ line: lineOf(['api', 'keys']), message: `two API keys have the same ${field}` }]
  })
  return [...reserved, ...repeated, ...badStore(settings.store, lineOf(['store']))]
}

function badStore({ path, postgres }: CoordinatorSettings['store'], line: number): readonly YamlProblem[] {
  if ((path === undefined) === (postgres === undefined)) return [{ line, message: 'store: either path or postgres' }]
  if (postgres !== undefined && (postgres.url === undefined) === (postgres.urlFile === undefined))
    return [{ line, message: 'store.postgres: either url or urlFile' }]
  return []
}

/**
 * Strict settings: unknown keys, wrong types and missing values are refused with their line.
 *
 * @param directory - what relative paths are relative to.
 * @param file - its name, for messages.
 * @throws {ConfigError} BAD_SETTINGS.
 */
export function parseCoordinatorSettings(text: string, directory: string, file = 'settings'): CoordinatorSettings {
  const settings = parseYamlFile(text, { file, schema: Settings, code: 'BAD_SETTINGS', check: badKeys })
  const absolute = (path: string) => resolve(directory, path)
  return {
    ...settings,
    cluster: { lock: absolute(settings.cluster.lock) },
    coordinator: { ...settings.coordinator, identity: { file: absolute(settings.coordinator.identity.file) } },
    store: withStorePaths(settings.store, absolute),
    decoding: withPaths(settings.decoding, absolute),
  }
}

function withStorePaths(
  { path, postgres, leaseMs }: CoordinatorSettings['store'],
  absolute: (path: string) => string,
): CoordinatorSettings['store'] {
  if (path !== undefined) return { path: absolute(path), leaseMs }
  return { postgres: { ...postgres, ...(postgres?.urlFile === undefined ? {} : { urlFile: absolute(postgres.urlFile) }) }, leaseMs }
}

/** Settings of a file; relative paths are relative to its directory. @throws {ConfigError} SETTINGS_UNREADABLE; BAD_SETTINGS. */
export async function loadCoordinatorSettings(file: string): Promise<CoordinatorSettings> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw new ConfigError('SETTINGS_UNREADABLE', `cannot read the settings file ${file}`, { file }, cause)
  }
  return parseCoordinatorSettings(text, dirname(resolve(file)), file)
}

/** `host:port` in two, brackets of an IPv6 address removed. */
export function parseListen(listen: string): { readonly host: string; readonly port: number } {
  const { host, port } = LISTEN.exec(listen)?.groups ?? {}
  if (host === undefined || port === undefined || Number(port) > 65535) {
    throw new ConfigError('BAD_SETTINGS', `settings: http.listen "${listen}" is not host:port`)
  }
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
}
