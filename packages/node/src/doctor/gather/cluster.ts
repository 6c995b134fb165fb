import { readdir, readFile, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type ClusterLock, codeOf, lockHash, messageOf, parseLock, toHex, verifyLock } from '@conclave/core'
import { parsePolicy } from '@conclave/policy'
import type { HsmSettings } from '@conclave/vault'
import { SETTINGS_FILE } from '../../init.ts'
import { type NodeSettings, parseSettings } from '../../settings.ts'
import type { ClusterFacts, Parsed } from '../cluster-check.ts'
import { type Known, known, unknown } from '../finding.ts'
import type { SettingsText } from '../settings-check.ts'
import type { NamedToken, Neighbour } from '../twin-check.ts'

/** Directories beside this one that are looked into. */
const NEIGHBOURS_MAX = 256

async function parsed<T>(file: string, missing: string, parse: (text: string) => T): Promise<Parsed<T>> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    return { ok: false, code: missing, message: `cannot read ${file} (${(error as NodeJS.ErrnoException).code ?? 'unknown'})` }
  }
  try {
    return { ok: true, value: parse(text) }
  } catch (error) {
    return { ok: false, code: codeOf(error), message: messageOf(error) }
  }
}

export interface GatheredSettings {
  readonly text: Known<SettingsText>
  readonly settings: Known<NodeSettings>
}

export async function gatherSettings(dir: string): Promise<GatheredSettings> {
  const file = join(dir, SETTINGS_FILE)
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined) {
    const problem = `cannot read ${file}: this is no directory of a node, or not this user's`
    return { text: known({ file, text: '', problem }), settings: unknown(`${file} cannot be read`) }
  }
  try {
    const settings = parseSettings(text, file)
    return { text: known({ file, text, problem: undefined }), settings: known(settings) }
  } catch (error) {
    return { text: known({ file, text, problem: messageOf(error) }), settings: unknown(`${file} is not valid`) }
  }
}

function unsignedOf(lock: ClusterLock): readonly string[] {
  try {
    verifyLock(lock)
    return []
  } catch (error) {
    const { details } = error as { details?: { nodes?: readonly number[] } }
    return lock.nodes.filter((n) => details?.nodes?.includes(n.index) !== false).map((n) => n.name)
  }
}

export async function gatherCluster(dir: string, { name, lockFile, policyFile }: NodeSettings): Promise<ClusterFacts> {
  const lock = await parsed(lockFile, 'LOCK_UNREADABLE', (text) => {
    try {
      return parseLock(JSON.parse(text))
    } catch (error) {
      throw error instanceof SyntaxError ? new Error(`${lockFile} is not JSON`) : error
    }
  })
  return {
    dir,
    name,
    lockFile,
    lock,
    unsigned: lock.ok ? unsignedOf(lock.value) : [],
    lockHash: lock.ok ? toHex(lockHash(lock.value)) : undefined,
    policyFile,
    policy: await parsed(policyFile, 'POLICY_UNREADABLE', (text) => parsePolicy(text, policyFile).rules.length),
  }
}

export function namedToken({ name, module, token, serial, env }: HsmSettings): NamedToken {
  return { hsm: name, module, token, serial, conf: env?.SOFTHSM2_CONF }
}

/** Other nodes whose directories lie beside this one. */
export async function gatherNeighbours(dir: string): Promise<Known<readonly Neighbour[]>> {
  try {
    const own = await realpath(dir)
    const entries = await readdir(dirname(own), { withFileTypes: true })
    const dirs = entries
      .filter((e) => e.isDirectory())
      .map((e) => join(dirname(own), e.name))
      .filter((d) => d !== own)
      .slice(0, NEIGHBOURS_MAX)
    const found = await Promise.all(
      dirs.map(async (d): Promise<Neighbour[]> => {
        const { settings } = await gatherSettings(d)
        return settings.known ? [{ dir: d, tokens: settings.value.hsms.map(namedToken) }] : []
      }),
    )
    return known(found.flat())
  } catch (error) {
    return unknown(`the directories beside ${dir} cannot be listed (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`)
  }
}
