import { createHash, hash } from 'node:crypto'

/** What a fault or a plug-in did; counted when it has really happened. */
export const FAULTS = [
  'delay',
  'loss',
  'duplicate',
  'reorder',
  'link-drop',
  'partition',
  'kill',
  'crash-before-write',
  'crash-at-write',
  'crash-after-write',
  'slow-disk',
  'slow-hsm',
  'worker-death',
  'crash-in-refill',
  'lost-confirm',
  'equivocate',
  'wrong-share',
  'wrong-degree',
  'withheld-ready',
  'replay',
  'split-view',
  'selective-abort',
  'forged-sender',
  'corrupt',
  'cheat-ot',
  'false-stock',
  'forged-gossip',
  'false-answer',
  'hasty-coordinator',
  'repeated-attempt',
  'lock-change',
] as const
export type FaultKind = (typeof FAULTS)[number]

/** Everything that happened in a run, as one hash: two runs of one seed end with the same. */
export class Trace {
  readonly faults: Partial<Record<FaultKind, number>> = {}
  readonly #state = createHash('sha256')
  readonly #print: ((line: string) => void) | undefined
  readonly #nowMs: () => number
  #pending = ''

  constructor(nowMs: () => number, print?: (line: string) => void) {
    this.#nowMs = nowMs
    this.#print = print
  }

  /** @param detail - computed only when somebody reads the trace; it must follow from what is in `line`. */
  note(line: string, detail?: () => string): void {
    this.#pending += `${this.#nowMs().toFixed(3)} ${line}\n`
    if (this.#pending.length > 8192) this.#flush()
    this.#print?.(`${this.#nowMs().toFixed(3).padStart(12)} ${line}${detail === undefined ? '' : ` ${detail()}`}`)
  }

  fault(kind: FaultKind, line: string): void {
    this.faults[kind] = (this.faults[kind] ?? 0) + 1
    this.note(`fault ${kind}: ${line}`)
  }

  /** Hex; the trace goes no further. */
  digest(): string {
    this.#flush()
    return this.#state.digest('hex')
  }

  #flush(): void {
    this.#state.update(this.#pending)
    this.#pending = ''
  }
}

/** Eight hex digits that stand for some bytes. */
export const mark = (bytes: Uint8Array): string => hash('sha256', bytes, 'hex').slice(0, 8)
