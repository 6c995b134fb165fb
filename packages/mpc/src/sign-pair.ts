import { ConclaveError, equalBytes, type PartyId, toHex } from '@conclave/core'
import type { OtExtension, Vole } from '@conclave/wire'
import { blame } from './abort.ts'
import { type Correlation, type Product, productOf } from './correlation.ts'
import { type MultiplicationInputs, Multiplications } from './multiplications.ts'

/** What one end of a pair says in one turn. */
export interface PairTurn {
  readonly ots: readonly OtExtension[]
  readonly voles: readonly Vole[]
}

/** Which of its two messages an end has sent, or is to send. */
interface Part {
  readonly ot: boolean
  readonly vole: boolean
}

const NOTHING: Part = { ot: false, vole: false }

/**
 * Where the pool stands in one pair. `open`: offered, and the higher index has not said whether it holds the entries. Both ends know
 * it of each other from what was sent; only whether an open offer can be met is known to the higher index first.
 */
type Pool = 'none' | 'open' | 'used'

/** What an end has to send in a turn: its OT messages, and the answer to those of the other end, as soon as it can and once. */
const dueOf = (own: Part, other: Part): Part => ({ ot: !own.ot, vole: other.ot && !own.vole })

export interface SignPairInputs extends MultiplicationInputs {
  /** By the lower index: out of its stock. */
  readonly offer: readonly Correlation[] | undefined
  /** By the higher index: an offer is expected. */
  readonly stocked: boolean
}

/**
 * How one pair of a signing session comes to its multiplications: from the pool when the lower index offers entries and the
 * higher one has them, else by the messages of section 5, each as early as it can be sent.
 *
 * Turns are exchanged at once: what an end owes in a turn follows from the turns before, so both ends know it of both.
 */
export class SignPair {
  readonly #run: Multiplications
  readonly #count: number
  readonly #low: boolean
  readonly #offer: readonly Correlation[] | undefined
  readonly #stocked: boolean
  #mine = NOTHING
  #theirs = NOTHING
  #theirDue = NOTHING
  #pool: Pool = 'none'
  /** Names of the peer's offer. */
  #named: readonly Uint8Array[] = []
  #entries: readonly Correlation[] | undefined

  constructor(inputs: SignPairInputs) {
    const { self, peer } = inputs.pair.public
    this.#run = new Multiplications(inputs)
    this.#count = inputs.ids.length
    this.#low = self < peer
    this.#offer = inputs.offer
    this.#stocked = inputs.stocked
  }

  /** The first turn: an offer, nothing where one is expected, or OT messages. */
  first(): { readonly ots: readonly OtExtension[]; readonly offer: readonly Uint8Array[] } {
    if (this.#offer !== undefined) return { ots: [], offer: this.#offer.map((entry) => entry.name) }
    if (this.#stocked) return { ots: [], offer: [] }
    this.#mine = { ot: true, vole: false }
    return { ots: this.#run.ots(), offer: [] }
  }

  /** Whether the peer's first turn has one of the forms that it may have. Depends on no secret. */
  fitsFirst(ots: readonly OtExtension[], offer: readonly Uint8Array[]): boolean {
    // An entry that is named twice would be used twice.
    if (new Set(offer.map(toHex)).size !== offer.length) return false
    const [said, named] = [ots.length, offer.length]
    if (this.#low) return named === 0 && (said === this.#count || said === 0)
    return (said === this.#count && named === 0) || (said === 0 && named === this.#count)
  }

  /** The peer's first turn, which fits. */
  hearFirst(ots: readonly OtExtension[], offer: readonly Uint8Array[]): void {
    this.#theirs = { ot: ots.length > 0, vole: false }
    this.#named = offer
    const high = this.#low ? this.#theirs : this.#mine
    if ((offer.length > 0 || this.#offer !== undefined) && !high.ot) this.#pool = 'open'
  }

  /** Names that the peer has offered. They leave the stock of this end also when the pair goes another way. */
  get named(): readonly Uint8Array[] {
    return this.#named
  }

  /** What the stock held of the names; the answer to an open offer. */
  taken(found: readonly Correlation[] | undefined): void {
    const whole = found?.length === this.#count && this.#named.every((name, k) => equalBytes(name, (found[k] as Correlation).name))
    if (this.#pool === 'open' && whole) this.#entries = found
  }

  /** Check 3.1 for what the peer sent last. */
  hearOts(ots: readonly OtExtension[]): boolean {
    return ots.length === 0 || this.#run.hearOts(ots)
  }

  /** What this end sends next. */
  say(): PairTurn {
    const [mine, theirs] = [this.#mine, this.#theirs]
    const served = this.#pool === 'used' || (this.#pool === 'open' && (this.#low || this.#entries !== undefined))
    const due = served ? NOTHING : dueOf(mine, theirs)
    // What the peer owes in the same turn follows from what stood before it.
    this.#theirDue = this.#pool === 'none' ? dueOf(theirs, mine) : NOTHING
    this.#mine = { ot: mine.ot || due.ot, vole: mine.vole || due.vole }
    return { ots: due.ot ? this.#run.ots() : [], voles: due.vole ? this.#run.voles() : [] }
  }

  /** Whether the peer must send something in this turn. */
  get owed(): boolean {
    return this.#theirDue.ot || this.#theirDue.vole
  }

  /** Whether the peer sends in this turn exactly what it owes. Depends on no secret. */
  fits({ ots, voles }: PairTurn): boolean {
    const { ot, vole } = this.#theirDue
    // The higher index may answer an open offer by its OT messages: it has not got the entries.
    const answer = this.#pool === 'open' && this.#low && ots.length === this.#count
    return (ots.length === (ot ? this.#count : 0) || answer) && voles.length === (vole ? this.#count : 0)
  }

  /** The peer's turn, which fits; checks come after this. */
  heard({ ots, voles }: PairTurn): void {
    const theirs = this.#theirs
    if (this.#pool === 'open') this.#settle(ots.length > 0)
    this.#theirs = { ot: theirs.ot || ots.length > 0, vole: theirs.vole || voles.length > 0 }
  }

  /** Now both ends know what became of an open offer. */
  #settle(refused: boolean): void {
    if (this.#low) this.#entries = refused ? undefined : this.#offer
    this.#pool = this.#entries === undefined ? 'none' : 'used'
  }

  /** Check 4.1, and 0, for what the peer sent last. */
  hearVoles(voles: readonly Vole[]) {
    return voles.length === 0 ? 'fine' : this.#run.hearVoles(voles)
  }

  /** One for each item, when nothing is owed any more. */
  products(): readonly Product[] {
    const through = this.#mine.ot && this.#mine.vole && this.#theirs.ot && this.#theirs.vole
    if (this.#pool === 'open' || (this.#pool === 'none' && !through)) throw new ConclaveError('ASSERTION', 'a pair has no products yet')
    return this.#entries?.map(productOf) ?? this.#run.products()
  }
}

/** A turn of several peers: its form first, which depends on no secret, then 3.1 for all of them, then 0 and 4.1 for all. */
export function hearTurns(pairs: ReadonlyMap<PartyId, SignPair>, turns: ReadonlyMap<PartyId, PairTurn>): void {
  const said = [...turns].map(([j, turn]) => ({ j, turn, pair: pairs.get(j) as SignPair }))
  const those = (failed: (one: (typeof said)[number]) => boolean) => said.filter(failed).map((one) => one.j)
  blame(
    'SIGN_MALFORMED',
    those(({ pair, turn }) => !pair.fits(turn)),
  )
  for (const { pair, turn } of said) pair.heard(turn)
  blame(
    'OT_CHECK',
    those(({ pair, turn }) => !pair.hearOts(turn.ots)),
  )
  const verdicts = new Map(said.map(({ j, pair, turn }) => [j, pair.hearVoles(turn.voles)]))
  blame(
    'SIGN_MALFORMED',
    those(({ j }) => verdicts.get(j) === 'malformed'),
  )
  blame(
    'VOLE_CHECK',
    those(({ j }) => verdicts.get(j) === 'inconsistent'),
  )
}
