import { type PartyId, tagged, toHex, u32 } from '@conclave/core'
import { CORRELATION_BYTES } from '@conclave/mpc'
import { expect } from 'chai'
import { Draws } from './draws.ts'
import type { StockEntry } from './shelf.ts'
import { Stock } from './stock.ts'

const SELF = 3
const pairId = (peer: PartyId): Uint8Array => tagged('pair', u32(peer))
const name = (peer: PartyId, i: number): Uint8Array => tagged('entry', u32(peer), u32(i))
const entry = (peer: PartyId, i: number): StockEntry => ({ name: name(peer, i), secret: new Uint8Array(CORRELATION_BYTES).fill(1) })
const pairs = (...peers: readonly PartyId[]) => new Map(peers.map((j) => [j, pairId(j)]))
const namesOf = (entries: readonly StockEntry[] | undefined) => entries?.map((e) => toHex(e.name))

describe('draws on the stock', () => {
  let stock: Stock
  let draws: Draws
  let drawn: string[]
  beforeEach(() => {
    stock = new Stock()
    drawn = []
    draws = new Draws({ self: SELF, stock, drawn: (peer, count) => drawn.push(`${peer}:${count}`) })
  })
  const fill = (peer: PartyId, count: number): void =>
    stock.add(
      peer,
      pairId(peer),
      Array.from({ length: count }, (_, i) => entry(peer, i)),
    )

  it('draws: higher peers are offered entries, which leave the stock; of lower peers an offer is expected', () => {
    for (const peer of [1, 4]) fill(peer, 3)
    const draw = draws.draw(pairs(1, 2, 4, 5), 2)
    expect([...draw.offers.keys()]).to.deep.equal([4])
    expect(namesOf(draw.offers.get(4))).to.deep.equal([name(4, 0), name(4, 1)].map(toHex))
    expect([...draw.stocked]).to.deep.equal([1])
    expect([stock.count(1), stock.count(4)]).to.deep.equal([3, 1])
    // Two of party 2 and of party 5 each.
    expect(stock.counts).to.include({ used: 2, missed: 4 })
    expect(drawn).to.deep.equal(['4:2', '5:0'])
  })

  it('draws: sessions at the same time do not expect the same entries', () => {
    fill(1, 3)
    const isExpected = () => draws.draw(pairs(1), 1)
    const [first, second, third, fourth] = [isExpected(), isExpected(), isExpected(), isExpected()]
    expect([first, second, third, fourth].map((d) => d.stocked.size)).to.deep.equal([1, 1, 1, 0])
    second[Symbol.dispose]()
    second[Symbol.dispose]()
    expect([isExpected(), isExpected()].map((d) => d.stocked.size)).to.deep.equal([1, 0])
    // What was taken is not expected any more.
    first.take(new Map([[1, [name(1, 0)]]]))
    first[Symbol.dispose]()
    expect([stock.count(1), isExpected().stocked.size]).to.deep.equal([2, 0])
  })

  it('draws: lower peers are given what they name, once, of the pair state that the session uses', () => {
    for (const peer of [1, 2, 4]) fill(peer, 4)
    const draw = draws.draw(new Map([...pairs(1), [2, pairId(9)], [4, pairId(4)]]), 1)
    const found = draw.take(
      new Map([
        [1, [name(1, 2)]],
        [2, [name(2, 0)]],
        [4, [name(4, 1)]],
        [5, [name(1, 0)]],
      ]),
    )
    expect([...found.keys()]).to.deep.equal([1])
    expect(namesOf(found.get(1))).to.deep.equal([toHex(name(1, 2))])
    expect([...draw.take(new Map([[1, [name(1, 0)]]]))]).to.deep.equal([])
    expect([stock.count(1), stock.count(2), stock.count(4)]).to.deep.equal([3, 4, 3])
    expect(stock.counts.mismatched).to.equal(1)
  })

  it('draws: at the end what did not leave this thread is wiped, and nothing is taken any more', () => {
    for (const peer of [1, 4]) fill(peer, 2)
    const draw = draws.draw(pairs(1, 4), 2)
    const [offered] = draw.offers.get(4) as readonly StockEntry[]
    structuredClone(offered, { transfer: [(offered as StockEntry).secret.buffer as ArrayBuffer] })
    draw[Symbol.dispose]()
    expect(draw.offers.get(4)?.[1]?.secret.every((b) => b === 0)).to.equal(true)
    expect([...draw.take(new Map([[1, [name(1, 0)]]]))]).to.deep.equal([])
    expect(stock.count(1)).to.equal(2)
  })

  it('draws: a name that is not held costs the whole offer, and what of it was held', () => {
    fill(1, 3)
    const draw = draws.draw(pairs(1), 2)
    expect(draw.take(new Map([[1, [name(1, 0), name(1, 7)]]])).size).to.equal(0)
    expect(stock.count(1)).to.equal(2)
    expect(stock.counts).to.include({ used: 0, mismatched: 1, dropped: 1 })
  })
})
