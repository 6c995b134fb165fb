import { tagged, toHex, u32 } from '@conclave/core'
import { CORRELATION_BYTES } from '@conclave/mpc'
import { expect } from 'chai'
import { STOCK_MAX, Stock, type StockEntry } from './stock.ts'

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
  beforeEach(() => {
    stock = new Stock()
  })
  const filled = (count: number): readonly StockEntry[] => {
    const entries = range(0, count).map(entry)
    stock.add(2, PAIR, entries)
    return entries
  }

  it('stock: entries are offered oldest first, all or none, and each once', () => {
    filled(5)
    expect(namesOf(stock.offer(2, PAIR, 2))).to.deep.equal(named(0, 1))
    expect(stock.offer(2, PAIR, 4)).to.deep.equal([])
    expect(namesOf(stock.offer(2, PAIR, 3))).to.deep.equal(named(2, 3, 4))
    expect(stock.offer(2, PAIR, 1)).to.deep.equal([])
    expect(stock.counts).to.deep.equal({ made: 5, used: 5, missed: 5, mismatched: 0, dropped: 0 })
  })

  it('stock: named entries are taken in the order named, and each once', () => {
    const entries = filled(4)
    expect(namesOf(stock.take(2, PAIR, [name(2), name(0)]))).to.deep.equal(named(2, 0))
    expect(stock.take(2, PAIR, [name(2)])).to.equal(undefined)
    expect(namesOf(stock.offer(2, PAIR, 2))).to.deep.equal(named(1, 3))
    // What left belongs to who took it.
    expect(entries.some(isWiped)).to.equal(false)
  })

  it('stock: when one name is not held, or is said twice, nothing is given and what was named is wiped', () => {
    const entries = filled(4)
    expect(stock.take(2, PAIR, [name(0), name(9)])).to.equal(undefined)
    expect(stock.take(2, PAIR, [name(1), name(1)])).to.equal(undefined)
    expect(entries.map(isWiped)).to.deep.equal([true, true, false, false])
    expect(stock.counts).to.include({ used: 0, mismatched: 2, dropped: 2 })
    expect(stock.count(2)).to.equal(2)
  })

  it('stock: entries serve the peer and the pair state that they were made with, and nobody else', () => {
    const entries = filled(2)
    expect(stock.offer(3, PAIR, 1)).to.deep.equal([])
    expect(stock.offer(2, OTHER, 1)).to.deep.equal([])
    expect(stock.take(2, OTHER, [name(0)])).to.equal(undefined)
    expect([stock.count(2, PAIR), stock.count(2, OTHER), stock.count(2)]).to.deep.equal([2, 0, 2])
    stock.add(2, OTHER, [entry(7)])
    expect(entries.every(isWiped)).to.equal(true)
    expect(namesOf(stock.offer(2, OTHER, 1))).to.deep.equal(named(7))
  })

  it('stock: what the peer has given up is wiped, up to the entry that it offers next', () => {
    const entries = filled(4)
    stock.dropBefore(2, name(9))
    expect(stock.count(2)).to.equal(4)
    stock.dropBefore(2, name(2))
    expect(entries.map(isWiped)).to.deep.equal([true, true, false, false])
    expect(stock.oldest(2)).to.deep.equal(name(2))
    stock.dropBefore(2, new Uint8Array(0))
    expect([stock.count(2), stock.oldest(2).length]).to.deep.equal([0, 0])
    stock.dropBefore(3, name(0))
  })

  it('stock: dropping and closing wipe, and nothing enters a closed stock', () => {
    const entries = filled(2)
    const others = [entry(5)]
    stock.add(3, OTHER, others)
    stock.drop(2)
    expect([entries.every(isWiped), others.some(isWiped)]).to.deep.equal([true, false])
    stock.close()
    const late = entry(6)
    stock.add(3, OTHER, [late])
    expect([...others, late].every(isWiped)).to.equal(true)
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
