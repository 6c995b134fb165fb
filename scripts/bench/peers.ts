/** Libraries that a user has installed into a folder of their own: never a dependency of ours. */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { ConfigError } from '@conclave/core'
import { carbon } from './carbon.ts'
import type { Subject } from './figures.ts'
import { libsecp256k1 } from './plain.ts'
import { silence } from './silence.ts'

export interface PeerPackage {
  /** As in the registry. */
  readonly name: string
  readonly licence: string
  load(home: string, version: string, threshold: number, parties: number): Promise<Subject>
}

/** Threshold ECDSA for JavaScript, and what a single key costs for orientation. */
export const PEERS: readonly PeerPackage[] = [
  { name: '@silencelaboratories/dkls-wasm-ll-node', licence: 'non-commercial use only', load: silence },
  { name: '@0xcarbon/dkls23-wasm', licence: 'see the package', load: carbon },
]
export const ORIENTATION: readonly PeerPackage[] = [{ name: 'tiny-secp256k1', licence: 'MIT', load: libsecp256k1 }]

/** What to type, and what to know before. */
export const HOW_TO_INSTALL = [
  'To measure the peers too, install them into a folder of your own, outside of this repository:',
  `  mkdir peers && cd peers && npm init -y && npm install ${[...PEERS, ...ORIENTATION].map((p) => p.name).join(' ')}`,
  '  npm run bench -- --peers /path/to/peers',
  `The licence of ${PEERS[0]?.name} allows non-commercial use only; whether yours is one is yours to judge.`,
  'Neither is a dependency of this project.',
].join('\n')

/** The folder of one package below `dir`, and the version that is there; undefined when it is not. */
export function installed(dir: string, name: string): { readonly home: string; readonly version: string } | undefined {
  const home = resolve(dir, 'node_modules', name)
  const manifest = resolve(home, 'package.json')
  if (!existsSync(manifest)) return undefined
  return { home, version: String(JSON.parse(readFileSync(manifest, 'utf8')).version) }
}

/**
 * Loads what is installed of `packages`.
 *
 * @throws {ConfigError} BENCH_NO_PEERS when none of them is below `dir`.
 */
export async function loadPeers(
  dir: string,
  packages: readonly PeerPackage[],
  threshold: number,
  parties: number,
): Promise<{ readonly subjects: readonly Subject[]; readonly missing: readonly string[] }> {
  const found = packages.map((p) => ({ ...p, at: installed(dir, p.name) }))
  if (found.every((p) => p.at === undefined))
    throw new ConfigError('BENCH_NO_PEERS', `none of ${packages.map((p) => p.name).join(', ')} is installed in ${dir}`)
  const subjects: Subject[] = []
  for (const { at, load } of found) if (at !== undefined) subjects.push(await load(at.home, at.version, threshold, parties))
  return { subjects, missing: found.filter((p) => p.at === undefined).map((p) => p.name) }
}
