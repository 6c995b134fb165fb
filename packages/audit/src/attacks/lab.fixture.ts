import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatNote, type NoteSignature, parseNote } from '../note.ts'
import { growTo, keysOf, openLog, type Signing, signedCheckpoint, testEntry } from '../signed-log.fixture.ts'
import { verifyDirectory } from '../verify-dir.ts'

/** Past the first full tile; checkpoints at all of these. */
export const SIZES = [3, 255, 260] as const
export const SIZE = 260

/** How an attack is looked at. */
export interface Look {
  /** Checkpoints that others hold. */
  readonly known?: readonly Uint8Array[]
  /** Cosigners that must be there; default 2. */
  readonly required?: number
}

/** Logs of n1 and n2 as they are, and copies to do harm to. */
export class Lab {
  readonly #dir: string
  #copies = 0
  /** Checkpoints of n1 by size, as they were published. */
  readonly checkpoints = new Map<number, Uint8Array>()

  private constructor(dir: string) {
    this.#dir = dir
  }

  static async open(): Promise<Lab> {
    const lab = new Lab(await mkdtemp(join(tmpdir(), 'conclave-attack-')))
    for (const name of ['n1', 'n2']) {
      const log = await openLog(join(lab.#dir, name), name)
      for (const size of SIZES) {
        const note = await growTo(log, size, { name, cosigners: name === 'n1' ? ['n2', 'n5'] : ['n1', 'n5'] })
        if (name !== 'n1') continue
        lab.checkpoints.set(size, note)
        await cp(join(lab.#dir, name), join(lab.#dir, `n1-at-${size}`), { recursive: true })
      }
      await log.close()
    }
    return lab
  }

  checkpoint(size: number): Uint8Array {
    return this.checkpoints.get(size) as Uint8Array
  }

  /** The entries of n1. */
  entries(): Uint8Array[] {
    return Array.from({ length: SIZE }, (_, i) => testEntry('n1', i))
  }

  /** A copy of a log: `n1`, `n2`, or n1 as it was at a size. */
  async copy(of: string): Promise<string> {
    const dir = join(this.#dir, `copy-${this.#copies++}`)
    await cp(join(this.#dir, of), dir, { recursive: true })
    return dir
  }

  /** A log of n1 with other entries whose files agree with each other; its checkpoint is what `note` makes of it. */
  async rebuild(entries: readonly Uint8Array[], note: (head: { size: number; root: Uint8Array }) => Promise<Uint8Array>): Promise<string> {
    const dir = join(this.#dir, `copy-${this.#copies++}`)
    await mkdir(dir)
    const log = await openLog(dir)
    await Promise.all(entries.map((e) => log.append(e)))
    const head = await log.flush()
    await log.close()
    await writeFile(join(dir, 'checkpoint'), await note(head))
    return dir
  }

  /** What the verifier finds in a log of n1, and the log is gone. */
  async findings(dir: string, { known = [], required = 2 }: Look = {}): Promise<readonly string[]> {
    const { findings } = await verifyDirectory(dir, { keys: keysOf('n1', required), node: 'n1', known })
    await rm(dir, { recursive: true })
    return findings.map((f) => f.code)
  }

  async close(): Promise<void> {
    await rm(this.#dir, { recursive: true })
  }
}

/** The log's own node signs anew, with the cosignatures of others who help it. */
export const resigned =
  (cosigners: readonly string[] = [], signing: Signing = {}) =>
  (head: { size: number; root: Uint8Array }) =>
    signedCheckpoint('n1', head, { ...signing, cosigners })

/** A note with other signatures under it. */
export function withSignatures(note: Uint8Array, change: (own: readonly NoteSignature[]) => readonly NoteSignature[]): Uint8Array {
  const { text, signatures } = parseNote(note)
  return formatNote({ text, signatures: change(signatures) })
}

export const signaturesOf = (note: Uint8Array): readonly NoteSignature[] => parseNote(note).signatures

/** Changes one file of a log. */
export async function changeFile(dir: string, name: string, change: (bytes: Uint8Array) => Uint8Array): Promise<void> {
  const file = join(dir, name)
  await writeFile(file, change(new Uint8Array(await readFile(file))))
}
