import type { Cost } from './meter.ts'

/** What is measured, by name: the names of the JSON output. */
export const FIGURES = {
  signFull: 'signature, everything made on the spot',
  signPooled: 'signature from the pool (warm)',
  signBatch: 'one signature of ten in one session, everything made on the spot',
  signBatchPooled: 'one signature of ten in one session, from the pool',
  correlate: 'one entry of the pool, both ends',
  presign: 'presignature',
  signOnline: 'signature from a presignature',
  loadShare: 'loading the key share for one signature',
  dkg: 'key generation alone (the pairs are set up)',
  pairSetup: 'set-up of one pair',
  dkgWithPairSetup: 'key generation with the set-up of all pairs',
  refresh: 'refresh, with the set-up of all pairs',
  signLocal: 'signature by one key in one place',
  verifyLocal: 'verification',
} as const

export type Figure = keyof typeof FIGURES
export type Costs = Readonly<Partial<Record<Figure, Cost>>>

/** What can be asked of one implementation, several figures at once where one run gives them. */
export interface Operation {
  /** The figures that `run` returns. */
  readonly figures: readonly Figure[]
  /** How often `run` is called for one sample; more than once where one run is too short to measure. */
  readonly batch: number
  /** One run: every result is checked, outside of what is counted. @throws when a signature does not verify. */
  run(): Costs
}

/** One implementation. */
export interface Subject {
  readonly name: string
  readonly version: string
  readonly operations: readonly Operation[]
  /** What a reader has to know to compare its figures with others. */
  readonly notes: readonly string[]
}
