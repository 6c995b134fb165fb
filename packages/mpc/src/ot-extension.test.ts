import { seededRandom, utf8 } from '@conclave/core'
import { expect } from 'chai'
import { bitOf } from './bits.ts'
import { COLUMN_BYTES, KAPPA, N, ROW_BYTES } from './constants.ts'
import { extendAlice, extendBob, extensionName } from './ot-extension.ts'
import { extensionMessage, prepareExtension } from './testing/cheating-extension.ts'
import { correlation } from './testing/correlation.ts'
import { isWiped, outputsOf } from './testing/kernel-outputs.fixture.ts'
import { flip } from './testing/run.ts'

const { sid, pairCtx, alice, bob } = correlation('extension')
const extended = extendBob(sid, pairCtx, bob, seededRandom(utf8('bob')))
const accepts = (message: typeof extended.message, context = pairCtx, session = sid) =>
  extendAlice(session, context, alice, message) !== undefined
const row = (rows: Uint8Array, j: number) => rows.subarray(j * ROW_BYTES, (j + 1) * ROW_BYTES)

describe('ot extension', () => {
  it('ot extension: Alice and Bob hold W_j = V_j xor x_j Delta in every row', () => {
    const got = extendAlice(sid, pairCtx, alice, extended.message)
    expect(got?.nu).to.deep.equal(extended.nu)
    for (let j = 0; j < N; j++) {
      const x = bitOf(extended.choices, j)
      const expected = row(extended.rows, j).map((v, b) => v ^ (x * (alice.delta[b] as number)))
      expect(row(got?.rows as Uint8Array, j)).to.deep.equal(expected)
    }
  })

  it('ot extension: the Bob of these tests says what the real one says when he does not cheat', () => {
    const draws = seededRandom(utf8('bob'))
    const [salt, choices] = [draws.bytes(32), draws.bytes(COLUMN_BYTES)]
    expect(extensionMessage(prepareExtension(sid, pairCtx, bob, salt, choices))).to.deep.equal(extended.message)
  })

  it('ot extension: 3.1 any changed field is refused', () => {
    const { message } = extended
    expect(accepts(message)).to.equal(true)
    for (const part of ['salt', 'check', 'checkHash'] as const)
      expect(accepts({ ...message, [part]: flip(message[part], 77) })).to.equal(false)
    for (const bit of [0, N, 77 * N + 5, KAPPA * N - 1])
      expect(accepts({ ...message, columns: flip(message.columns, bit) })).to.equal(false)
    for (const part of ['check', 'checkHash'] as const)
      expect(accepts({ ...message, [part]: new Uint8Array(message[part].length) })).to.equal(false)
  })

  it('ot extension: 3.1 a message for another session, pair or direction is refused', () => {
    expect(accepts(extended.message, utf8('other'))).to.equal(false)
    expect(accepts(extended.message, pairCtx, utf8('other'))).to.equal(false)
  })

  for (const guess of [0, 1] as const)
    it(`OT selective failure: a flipped bit in one column, betting on ${guess}, is caught exactly where Delta's bit is ${1 - guess}`, () => {
      const draws = seededRandom(utf8('cheat'))
      const prepared = prepareExtension(sid, pairCtx, bob, draws.bytes(32), draws.bytes(COLUMN_BYTES))
      const caught = Array.from(
        { length: KAPPA },
        (_, column) => !accepts(extensionMessage(prepared, { column, bit: (column * 7) % N, guess })),
      )
      const expected = caught.map((_, i) => bitOf(alice.delta, i) !== guess)
      expect(caught).to.deep.equal(expected)
      expect(new Set(caught).size).to.equal(2)
    })

  it('OT selective failure: the rows that only pay for the check are checked as well', () => {
    const draws = seededRandom(utf8('tail'))
    const prepared = prepareExtension(sid, pairCtx, bob, draws.bytes(32), draws.bytes(COLUMN_BYTES))
    const one = Array.from({ length: KAPPA }, (_, i) => i).find((i) => bitOf(alice.delta, i) === 1) as number
    for (const bit of [0, 127, 128, 767, 768, N - 1])
      expect(accepts(extensionMessage(prepared, { column: one, bit, guess: 0 })), `bit ${bit}`).to.equal(false)
  })

  it('ot extension: salt, session, pair and direction each give another name and other rows', () => {
    const names = [
      extensionName(sid, pairCtx, new Uint8Array(32)),
      extensionName(sid, pairCtx, flip(new Uint8Array(32))),
      extensionName(flip(sid), pairCtx, new Uint8Array(32)),
      extensionName(sid, flip(pairCtx), new Uint8Array(32)),
      extensionName(pairCtx, sid, new Uint8Array(32)),
    ]
    expect(new Set(names.map((n) => Buffer.from(n).toString('hex'))).size).to.equal(names.length)
    const again = extendBob(sid, pairCtx, bob, seededRandom(utf8('another run')))
    expect(again.rows).not.to.deep.equal(extended.rows)
    expect(again.choices).not.to.deep.equal(extended.choices)
  })

  it('ot extension: streams and what they fold to are wiped when either side ends, well or not', () => {
    const ofBob = outputsOf(() => extendBob(sid, pairCtx, bob, seededRandom(utf8('wiped'))))
    // Both streams, and both folds: what is sent of them are copies.
    expect([...ofBob.expandSeeds, ...ofBob.foldBlocks].map(isWiped)).to.deep.equal([true, true, true, true])
    for (const check of [extended.message.check, flip(extended.message.check)]) {
      const ofAlice = outputsOf(() => extendAlice(sid, pairCtx, alice, { ...extended.message, check }))
      expect([ofAlice.expandSeeds[0], ofAlice.foldBlocks[0]].map(isWiped)).to.deep.equal([true, true])
    }
  })
})
