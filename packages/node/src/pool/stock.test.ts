import { tagged, toHex, u32 } from '@conclave/core'
import { CORRELATION_BYTES } from '@conclave/mpc'
import { expect } from 'chai'
import { BLOCK_ENTRIES, type StockEntry } from './shelf.ts'
import { STOCK_MAX, Stock } from './stock.ts'

const PAIR = tagged('pair-a')
const OTHER = tagged('pair-b')
const name = (i: number): Uint8Array => tagged('entry', u32(i))
const entry = (i: number): StockEntry => ({ name: name(i), secret: new Uint8Array(CORRELATION_BYTES).fill(i + 1) })
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)
const namesOf = (entries: readonly StockEntry[] | undefined) => entries?.map((e) => toHex(e.name))
const named = (...of: readonly number[]) => of.map((i) => toHex(name(i)))
const isWiped = (e: StockEntry): boolean => e.secret.every((b) => b === 0)

describe('stock of correlations', () => {
  let stock: Stock
  let blocks: Uint8Array[]
  beforeEach(() => {
    blocks = []
    stock = new Stock((bytes) => {
      const block = new Uint8Array(bytes)
      blocks.push(block)
      return block
    })
  })
  const filled = (count: number): readonly StockEntry[] => {
    const entries = range(0, count).map(entry)
    stock.add(2, PAIR, entries)
    return entries
  }
  /** Of these entries, those whose secret is in the memory of the stock. */
  const kept = (...of: readonly number[]) => of.filter((i) => blocks.some((block) => block.includes(i + 1)))

  it('stock: entries are offered oldest first, all or none, and each once', () => {
    filled(5)
    expect(namesOf(stock.offer(2, PAIR, 2))).to.deep.equal(named(0, 1))
    expect(stock.offer(2, PAIR, 4)).to.deep.equal([])
    expect(namesOf(stock.offer(2, PAIR, 3))).to.deep.equal(named(2, 3, 4))
    expect(stock.offer(2, PAIR, 1)).to.deep.equal([])
    expect(stock.counts).to.deep.equal({ made: 5, used: 5, missed: 5, mismatched: 0, dropped: 0 })
  })

  it('stock: named entries are taken in the order named, and each once', () => {
    filled(4)
    const taken = stock.take(2, PAIR, [name(2), name(0)])
    expect(taken).to.deep.equal([entry(2), entry(0)])
    expect(stock.take(2, PAIR, [name(2)])).to.equal(undefined)
    expect(stock.offer(2, PAIR, 2)).to.deep.equal([entry(1), entry(3)])
    // What left belongs to who took it.
    expect(taken).to.deep.equal([entry(2), entry(0)])
  })

  it('stock: a secret is in one place: where it was before and where it has been is wiped', () => {
    const entries = filled(4)
    expect(entries.every(isWiped)).to.equal(true)
    stock.take(2, PAIR, [name(2)])
    stock.offer(2, PAIR, 1)
    expect(kept(0, 1, 2, 3)).to.deep.equal([1, 3])
  })

  it('stock: memory that an entry has left serves the next one, whatever leaves in whatever order', () => {
    const size = 2 * BLOCK_ENTRIES
    filled(size)
    stock.take(
      2,
      PAIR,
      range(0, BLOCK_ENTRIES).map((i) => name(2 * i)),
    )
    stock.add(2, PAIR, range(size, size + BLOCK_ENTRIES).map(entry))
    expect(blocks).to.have.length(2)
    const odd = range(0, BLOCK_ENTRIES).map((i) => entry(2 * i + 1))
    expect(stock.offer(2, PAIR, size)).to.deep.equal([...odd, ...range(size, size + BLOCK_ENTRIES).map(entry)])
    expect(blocks.every((block) => block.every((b) => b === 0))).to.equal(true)
  })

  it('stock: what has not the length of an entry does not enter', () => {
    const short = { name: name(0), secret: new Uint8Array(CORRELATION_BYTES - 1) }
    expect(() => stock.add(2, PAIR, [short]))
      .to.throw()
      .with.property('code', 'ASSERTION')
  })

  it('stock: when one name is not held, or is said twice, nothing is given and what was named is wiped', () => {
    filled(4)
    expect(stock.take(2, PAIR, [name(0), name(9)])).to.equal(undefined)
    expect(stock.take(2, PAIR, [name(1), name(1)])).to.equal(undefined)
    expect(kept(0, 1, 2, 3)).to.deep.equal([2, 3])
    expect(stock.counts).to.include({ used: 0, mismatched: 2, dropped: 2 })
    expect(stock.count(2)).to.equal(2)
  })

  it('stock: entries serve the peer and the pair state that they were made with, and nobody else', () => {
    filled(2)
    expect(stock.offer(3, PAIR, 1)).to.deep.equal([])
    expect(stock.offer(2, OTHER, 1)).to.deep.equal([])
    expect(stock.take(2, OTHER, [name(0)])).to.equal(undefined)
    expect([stock.count(2, PAIR), stock.count(2, OTHER), stock.count(2)]).to.deep.equal([2, 0, 2])
    stock.add(2, OTHER, [entry(7)])
    expect(kept(0, 1, 7)).to.deep.equal([7])
    expect(namesOf(stock.offer(2, OTHER, 1))).to.deep.equal(named(7))
  })

  it('stock: what the peer has given up is wiped, up to the entry that it offers next', () => {
    filled(4)
    stock.dropBefore(2, name(9))
    expect(stock.count(2)).to.equal(4)
    stock.dropBefore(2, name(2))
    expect(kept(0, 1, 2, 3)).to.deep.equal([2, 3])
    expect(stock.oldest(2)).to.deep.equal(name(2))
    stock.dropBefore(2, new Uint8Array(0))
    expect([stock.count(2), stock.oldest(2).length]).to.deep.equal([0, 0])
    stock.dropBefore(3, name(0))
  })

  it('stock: dropping and closing wipe, and nothing enters a closed stock', () => {
    filled(2)
    stock.add(3, OTHER, [entry(5)])
    stock.drop(2)
    expect(kept(0, 1, 5)).to.deep.equal([5])
    stock.close()
    const late = entry(6)
    stock.add(3, OTHER, [late])
    expect([kept(5, 6), isWiped(late)]).to.deep.equal([[], true])
    expect([stock.count(3), stock.counts.dropped]).to.deep.equal([0, 4])
  })

  it('stock: it is bounded, and a name enters once', () => {
    stock.add(2, PAIR, range(0, STOCK_MAX).map(entry))
    const [excess, twice] = [entry(STOCK_MAX), entry(3)]
    stock.add(2, PAIR, [excess])
    expect([stock.count(2), isWiped(excess)]).to.deep.equal([STOCK_MAX, true])
    stock.offer(2, PAIR, 1)
    stock.add(2, PAIR, [twice])
    expect([stock.count(2), isWiped(twice)]).to.deep.equal([STOCK_MAX - 1, true])
  })
})
