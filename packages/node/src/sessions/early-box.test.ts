import { tagged, u32 } from '@conclave/core'
import { expect } from 'chai'
import { EARLY_BYTES_MAX, EARLY_COUNT_MAX, EarlyBox } from './early-box.ts'

const message = (round: number, bytes = 1) => ({ sessionId: tagged('s'), from: 2, round, body: new Uint8Array(bytes) })
const rounds = (box: EarlyBox, peer: number, name: string) => box.take(peer, name).map((m) => ('round' in m ? m.round : m.code))

describe('early box', () => {
  it('early box: gives what a peer said of a session once, in order', () => {
    const box = new EarlyBox()
    for (const r of [1, 2]) box.keep(2, 'a', message(r))
    box.keep(2, 'a', { sessionId: tagged('s'), from: 2, code: 'CLOSED' })
    box.keep(2, 'b', message(3))
    box.keep(3, 'a', message(4))
    expect(rounds(box, 2, 'a')).to.deep.equal([1, 2, 'CLOSED'])
    expect(rounds(box, 2, 'a')).to.deep.equal([])
    expect([rounds(box, 2, 'b'), rounds(box, 3, 'a')]).to.deep.equal([[3], [4]])
  })

  it('early box: a peer that floods in count loses its own oldest messages only', () => {
    const box = new EarlyBox()
    box.keep(3, 'a', message(7))
    let gone = 0
    for (let i = 0; i < EARLY_COUNT_MAX + 10; i++) gone += box.keep(2, i < 10 ? 'old' : 'new', message(1))
    expect(gone).to.equal(10)
    expect([rounds(box, 2, 'old').length, rounds(box, 2, 'new').length]).to.deep.equal([0, EARLY_COUNT_MAX])
    expect(rounds(box, 3, 'a')).to.deep.equal([7])
  })

  it('early box: a peer is bounded in bytes, and room that was taken out is free again', () => {
    const box = new EarlyBox()
    const part = EARLY_BYTES_MAX / 64
    let gone = 0
    for (let i = 0; i < 65; i++) gone += box.keep(2, String(i), message(1, part))
    expect(gone).to.equal(1)
    expect([rounds(box, 2, '0').length, rounds(box, 2, '64').length]).to.deep.equal([0, 1])
    expect(box.keep(2, 'x', message(1, part))).to.equal(0)
    expect(box.keep(2, 'y', message(1, EARLY_BYTES_MAX + 1))).to.equal(65)
    expect(rounds(box, 2, 'y')).to.deep.equal([])
  })

  it('early box: a session that ended and a peer that left are forgotten', () => {
    const box = new EarlyBox()
    for (const peer of [2, 3]) for (const name of ['a', 'b']) box.keep(peer, name, message(u32(peer)[3] as number))
    box.drop('a')
    box.clear(2)
    expect([rounds(box, 2, 'a'), rounds(box, 2, 'b'), rounds(box, 3, 'a'), rounds(box, 3, 'b')]).to.deep.equal([[], [], [], [3]])
  })
})
