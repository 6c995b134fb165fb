import { open } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { ConclaveClient } from '@conclave/client'
import { ConfigError } from '@conclave/core'
import { parseYamlFile } from '@conclave/core/yaml-file'
import type { Command } from 'commander'
import * as z from 'zod'

/** Options of every command that talks to a coordinator. */
export interface ApiOptions {
  readonly url?: readonly string[]
  readonly apiKeyFile?: string
  readonly profile?: string
  readonly json?: true
}

type Environment = Readonly<Record<string, string | undefined>>

/** Whom a command talks to, and as whom. */
export interface Access {
  readonly urls: readonly string[]
  readonly apiKey: string
}

const KEY_BYTES_MAX = 4096
const PROFILES_BYTES_MAX = 65_536

const Profile = z.strictObject({
  urls: z
    .array(z.url({ protocol: /^https?$/ }))
    .min(1)
    .max(16),
  apiKeyFile: z.string().min(1),
})
const Profiles = z.strictObject({
  /** Which one it is when none is named. */
  default: z.string().optional(),
  profiles: z.record(z.string().max(64), Profile),
})

const fileOf = ({ CONCLAVE_PROFILES, XDG_CONFIG_HOME }: Environment) =>
  CONCLAVE_PROFILES ?? join(XDG_CONFIG_HOME ?? join(homedir(), '.config'), 'conclave', 'profiles.yaml')

/** The beginning of a file, and whether somebody else may read it. */
async function readBounded(file: string, bytesMax: number): Promise<{ readonly text: string; readonly isOpen: boolean }> {
  const handle = await open(file)
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(bytesMax), 0, bytesMax, 0)
    return { text: buffer.toString('utf8', 0, bytesRead), isOpen: ((await handle.stat()).mode & 0o077) !== 0 }
  } finally {
    await handle.close()
  }
}

/** @throws {ConfigError} API_KEY_UNREADABLE, API_KEY_OPEN. */
async function readApiKey(file: string): Promise<string> {
  const { text, isOpen } = await readBounded(file, KEY_BYTES_MAX).catch((cause: unknown) => {
    throw new ConfigError('API_KEY_UNREADABLE', `cannot read the API key file ${file}`, { file }, cause)
  })
  if (isOpen) throw new ConfigError('API_KEY_OPEN', `others may read the API key file ${file}: "chmod 600" it`, { file })
  return text.trim()
}

/** The profile that is named, or the default; undefined when neither is there. @throws {ConfigError} BAD_PROFILES, NO_PROFILE. */
async function readProfile(name: string | undefined, env: Environment): Promise<z.output<typeof Profile> | undefined> {
  const file = fileOf(env)
  let text: string
  try {
    text = (await readBounded(file, PROFILES_BYTES_MAX)).text
  } catch (cause) {
    if (name === undefined && (cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new ConfigError('BAD_PROFILES', `cannot read the profiles in ${file}`, { file }, cause)
  }
  const { profiles, default: usual } = parseYamlFile(text, { file, schema: Profiles, code: 'BAD_PROFILES' })
  const wanted = name ?? usual
  if (wanted === undefined) return undefined
  const profile = Object.hasOwn(profiles, wanted) ? profiles[wanted] : undefined
  if (profile === undefined) throw new ConfigError('NO_PROFILE', `there is no profile "${wanted}" in ${file}`, { file })
  return { ...profile, apiKeyFile: resolve(dirname(file), profile.apiKeyFile) }
}

/**
 * Whom to ask: an option before the environment before the profile. The key of a profile goes to the coordinators of that profile only.
 *
 * @throws {ConfigError} NO_COORDINATOR, NO_API_KEY; API_KEY_UNREADABLE, API_KEY_OPEN; BAD_PROFILES, NO_PROFILE.
 */
export async function accessOf({ url, apiKeyFile, profile: name }: ApiOptions, env: Environment = process.env): Promise<Access> {
  const named = url ?? env.CONCLAVE_URL?.split(',').map((each) => each.trim())
  const wanted = name ?? env.CONCLAVE_PROFILE
  const profile = named === undefined ? await readProfile(wanted, env) : undefined
  const urls = named ?? profile?.urls
  if (urls === undefined) {
    throw new ConfigError('NO_COORDINATOR', 'which coordinator? Give --url, set CONCLAVE_URL, or write a profile (docs/cli.md)')
  }
  const file = apiKeyFile ?? env.CONCLAVE_API_KEY_FILE
  if (file !== undefined) return { urls, apiKey: await readApiKey(file) }
  if (env.CONCLAVE_API_KEY !== undefined) return { urls, apiKey: env.CONCLAVE_API_KEY }
  if (profile !== undefined) return { urls, apiKey: await readApiKey(profile.apiKeyFile) }
  throw new ConfigError('NO_API_KEY', 'which API key? Give --api-key-file, or set CONCLAVE_API_KEY_FILE or CONCLAVE_API_KEY')
}

export async function clientOf(options: ApiOptions): Promise<ConclaveClient> {
  const { urls, apiKey } = await accessOf(options)
  return new ConclaveClient({ url: urls, apiKey })
}

const collect = (value: string, previous: readonly string[] | undefined): readonly string[] => [...(previous ?? []), value]

/** A command with the options that say whom it talks to. */
export function addApiCommand(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .option('--url <url>', 'of the coordinator, e.g. http://127.0.0.1:8080; several for several replicas', collect)
    .option('--api-key-file <file>', 'file with the API key, which only its owner may read')
    .option('--profile <name>', 'which coordinator and key of the profiles file')
    .option('--json', 'print JSON')
}
