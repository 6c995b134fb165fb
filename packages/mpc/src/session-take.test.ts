import { ConclaveError, type PartyId, SecretBytes, utf8 } from '@conclave/core'
import { DealAttest, encode } from '@conclave/wire'
import { expect } from 'chai'
import { abortOf } from './abort.ts'
import { CORRELATION_BYTES, type Correlation } from './correlation.ts'
import { collect, type Protocol, send, take } from './protocol.ts'
import { Session } from './session.ts'
import { isWiped } from './testing/pool.ts'

const FIRST = { number: 1, kind: 'broadcast', message: DealAttest } as const
const SECOND = { number: 2, kind: 'broadcast', message: DealAttest } as const
const word = (text: string) => encode(DealAttest, { signature: utf8(text) })
const PEERS: readonly PartyId[] = [2, 5]

/** Says in round 2 how many entries were found. */
function* taking(): Protocol<string> {
  using owned = new DisposableStack()
  yield* collect(FIRST)
  const found = yield* take(new Map([[2, [utf8('name')]]]))
  for (const entry of found.get(2) ?? []) owned.use(entry.secret)
  const count = `${found.get(2)?.length ?? 0}`
  yield* send(SECOND, 'all', { signature: utf8(count) })
  yield* collect(SECOND)
  return count
}

const entryOf = (fill: number): Correlation => ({
  name: utf8('name'),
  secret: new SecretBytes(new Uint8Array(CORRELATION_BYTES).fill(fill)),
})

const fresh = () => new Session({ self: 1, peers: PEERS, rounds: [FIRST, SECOND], protocol: taking() })

describe('session take', () => {
  it('session take: entries that the run asks for are awaited, and the run goes on with those that were found', () => {
    const entry = entryOf(1)
    const s = fresh()
    expect(() => s.taken(new Map()))
      .to.throw(ConclaveError)
      .with.property('code', 'ASSERTION')
    s.start()
    for (const j of PEERS) expect(s.receive(j, 1, word('x'))).to.deep.equal([])
    expect([s.state, s.take, s.round]).to.deep.equal(['taking', new Map([[2, [utf8('name')]]]), undefined])
    for (const j of PEERS) expect(s.receive(j, 2, word('early'))).to.deep.equal([])
    expect([s.state, isWiped(entry)]).to.deep.equal(['taking', false])
    const out = s.taken(new Map([[2, [entry]]]))
    expect(out.map((o) => o.round)).to.deep.equal([2])
    expect([s.state, s.result, s.take, isWiped(entry)]).to.deep.equal(['done', '1', undefined, true])
    const none = fresh()
    none.start()
    for (const j of PEERS) none.receive(j, 1, word('x'))
    none.taken(new Map())
    for (const j of PEERS) none.receive(j, 2, word('y'))
    expect(none.result).to.equal('0')
  })

  it('session take: entries that nobody waits for are wiped and refused, also after an abort', () => {
    for (const stop of [false, true]) {
      const entries = [entryOf(1), entryOf(2)]
      const s = fresh()
      if (stop) {
        s.start()
        for (const j of PEERS) s.receive(j, 1, word('x'))
        s.abort(abortOf('SIGN_ECHO'))
        expect([s.state, s.take]).to.deep.equal(['aborted', undefined])
      }
      expect(() => s.taken(new Map([[2, entries]])))
        .to.throw(ConclaveError)
        .with.property('code', 'ASSERTION')
      expect(entries.map(isWiped)).to.deep.equal([true, true])
      expect(s.state).to.equal(stop ? 'aborted' : 'idle')
    }
  })
})
