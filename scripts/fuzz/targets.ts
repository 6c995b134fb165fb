// What is fuzzed: every package lists its decoders and entries in src/fuzz.fixture.ts, beside them.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConclaveError, fromHex, toHex, utf8 } from '@conclave/core'
import { measured } from './allocation.ts'
import type { Kind } from './mutation.ts'

export const ROOT = join(import.meta.dirname, '../..')
const CORPUS = join(ROOT, 'test/corpus')

/** A target that is ready to take inputs. */
export interface Started {
  /** Valid inputs, from which others are made. */
  readonly seeds: readonly Uint8Array[]
  /** Throws or rejects with a typed error, or with anything else when a promise is broken. */
  run(input: Uint8Array): unknown
  stop?(): Promise<void>
}

export interface Target {
  /** `package.what`; also the directory of its corpus. */
  readonly name: string
  readonly kind: Kind
  /** How many inputs the tests try. */
  readonly runs: number
  /** Codes with which an input may be refused. */
  readonly codes: RegExp
  /** A pure decoder: no buffer that it asks for is much larger than its input. */
  readonly bounded?: boolean
  start(): Started | Promise<Started>
}

export async function loadTargets(): Promise<readonly Target[]> {
  const files = readdirSync(join(ROOT, 'packages'))
    .sort()
    .map((name) => join(ROOT, 'packages', name, 'src/fuzz.fixture.ts'))
    .filter((file) => existsSync(file))
  // By path: these lie in packages that nobody else may look into.
  const modules = await Promise.all(files.map((file) => import(pathToFileURL(file).href) as Promise<{ TARGETS: readonly Target[] }>))
  return modules.flatMap((m) => m.TARGETS)
}

const EXTENSIONS: Readonly<Record<Kind, string>> = { bytes: 'hex', message: 'hex', text: 'txt', json: 'txt' }

export const corpusFile = ({ name, kind }: Target, title: string): string => join(CORPUS, name, `${title}.${EXTENSIONS[kind]}`)

export function encodeInput({ kind }: Target, input: Uint8Array): string {
  const isText = EXTENSIONS[kind] === 'txt'
  if (!isText) return `${toHex(input)}\n`
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(input)
}

/** Inputs that are tried in every test run, by name of the file. */
export function corpusOf(target: Target): ReadonlyMap<string, Uint8Array> {
  const dir = join(CORPUS, target.name)
  if (!existsSync(dir)) return new Map()
  const read = (file: string) => {
    const content = readFileSync(join(dir, file), 'utf8')
    return file.endsWith('.hex') ? fromHex(content.trim()) : utf8(content)
  }
  return new Map(
    readdirSync(dir)
      .sort()
      .map((file) => [file, read(file)]),
  )
}

const BUFFER_BYTES_FREE = 64 * 1024

/** Runs a decoder under a watch on what it asks for. @throws {RangeError} when that is far more than it was given. */
function runBounded(started: Started, input: Uint8Array): void {
  const { largest, thrown } = measured(() => started.run(input))
  if (largest > BUFFER_BYTES_FREE + 4 * input.length) throw new RangeError(`asked for ${largest} bytes at once, given ${input.length}`)
  if (thrown !== undefined) throw thrown
}

/** Tries one input. @throws when what comes out is not one of the target's typed errors, or too much memory was asked for. */
export async function tryInput(target: Target, started: Started, input: Uint8Array): Promise<void> {
  try {
    if (target.bounded === true) runBounded(started, input)
    else await started.run(input)
  } catch (error) {
    if (error instanceof ConclaveError && target.codes.test(error.code)) return
    throw new Error(`${target.name}: an input got ${String(error)}`, { cause: error })
  }
}
