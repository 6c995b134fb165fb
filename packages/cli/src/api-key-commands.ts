import { open, rm } from 'node:fs/promises'
import type { ApiKey, CreateApiKey, NewApiKey } from '@conclave/client'
import { ConfigError, InvalidArgument } from '@conclave/core'
import { type Command, Option } from 'commander'
import { type ApiOptions, addApiCommand, clientOf } from './coordinator-api.ts'
import { guarded, type Output, table, terminal } from './output.ts'

const HEADS = ['name', 'role', 'tenant', 'made by', 'last used', 'state']
const PAGES_MAX = 100
const PAGE = 200
const HOURS = /^(\d{1,3})h$/
const HOUR_MS = 3_600_000

const rowOf = ({ name, role, tenant, createdBy, lastUsedAt, revokedAt, oldUntil }: ApiKey): readonly string[] => {
  const state = revokedAt !== null ? `revoked ${revokedAt}` : oldUntil !== null ? `rotated, old secret until ${oldUntil}` : 'valid'
  return [name, role, tenant, createdBy, lastUsedAt ?? '-', state]
}

interface OneKey extends ApiOptions {
  readonly name: string
}
interface Secret extends OneKey {
  readonly secretFile: string
}

/**
 * Makes the file before there is a secret to write: one that cannot be kept would be lost. Never on the screen, which others may see and
 * terminals keep.
 *
 * @throws {ConfigError} SECRET_FILE.
 */
async function writeSecret(file: string, make: () => Promise<NewApiKey>): Promise<Omit<NewApiKey, 'secret'>> {
  const handle = await open(file, 'wx', 0o600).catch((cause: unknown) => {
    throw new ConfigError('SECRET_FILE', `cannot make ${file}: does it exist already?`, { file }, cause)
  })
  try {
    const { secret, ...key } = await make()
    await handle.writeFile(`${secret}\n`)
    await handle.sync()
    return key
  } catch (error) {
    await rm(file, { force: true })
    throw error
  } finally {
    await handle.close()
  }
}

/** `24h` in milliseconds. @throws {InvalidArgument} BAD_OVERLAP. */
export function parseOverlap(text: string): number {
  const hours = Number(HOURS.exec(text)?.[1])
  if (!(hours <= 720)) throw new InvalidArgument('BAD_OVERLAP', '--overlap: whole hours from 0h to 720h')
  return hours * HOUR_MS
}

/** `conclave api-key create | list | rotate | revoke`. */
export function addApiKeyCommands(program: Command, output: Output = terminal): void {
  const group = program.command('api-key').description('API keys of a coordinator; needs the key of an administrator')
  const tell = ({ json }: ApiOptions, key: ApiKey, line: string) => output.print(json === true ? JSON.stringify(key) : line)
  const addOne = (name: string, description: string) =>
    addApiCommand(group, name, description).requiredOption('--name <name>', 'of the API key: a-z, 0-9 and "-"')

  addOne('create', 'make an API key')
    .addOption(new Option('--role <role>', 'what it may do').choices(['viewer', 'requester', 'admin']).makeOptionMandatory())
    .option('--tenant <tenant>', 'whose it is; only the administrator of the settings may name another one than its own')
    .requiredOption('--secret-file <file>', 'where its secret is written, which is told once')
    .action(
      guarded(async (o: Secret & CreateApiKey) => {
        const client = await clientOf(o)
        const asked = { name: o.name, role: o.role, ...(o.tenant === undefined ? {} : { tenant: o.tenant }) }
        const key = await writeSecret(o.secretFile, () => client.apiKeys.create(asked))
        tell(o, key, `${key.name} (${key.role} of ${key.tenant}) is made; its secret is in ${o.secretFile}`)
      }),
    )
  addApiCommand(group, 'list', 'every API key, newest first')
    .option('--tenant <tenant>', 'of another tenant')
    .action(
      guarded(async (o: ApiOptions & { tenant?: string }) => {
        const client = await clientOf(o)
        const keys: ApiKey[] = []
        let cursor: string | undefined
        for (let page = 0; page < PAGES_MAX; page++) {
          const query = {
            limit: PAGE,
            ...(o.tenant === undefined ? {} : { tenant: o.tenant }),
            ...(cursor === undefined ? {} : { cursor }),
          }
          const { items, nextCursor } = await client.apiKeys.list(query)
          keys.push(...items)
          if (nextCursor === null) break
          cursor = nextCursor
        }
        for (const line of o.json === true ? [JSON.stringify(keys)] : table(HEADS, keys.map(rowOf))) output.print(line)
      }),
    )
  addOne('rotate', 'give an API key a new secret')
    .option('--overlap <hours>', 'how long the secret before is taken, e.g. 24h', '24h')
    .requiredOption('--secret-file <file>', 'where the new secret is written')
    .action(
      guarded(async (o: Secret & { overlap: string }) => {
        const overlapMs = parseOverlap(o.overlap)
        const client = await clientOf(o)
        const key = await writeSecret(o.secretFile, () => client.apiKeys.rotate(o.name, { overlapMs }))
        tell(o, key, `${key.name} has a new secret, in ${o.secretFile}; the one before is taken until ${key.oldUntil}`)
      }),
    )
  addOne('revoke', 'take an API key back, for ever').action(
    guarded(async (o: OneKey) => {
      const key = await (await clientOf(o)).apiKeys.revoke(o.name)
      tell(o, key, `${key.name} is revoked`)
    }),
  )
}
