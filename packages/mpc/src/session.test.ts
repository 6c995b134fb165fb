import { ConclaveError, InvalidArgument, type PartyId, SecretScope, utf8 } from '@conclave/core'
import { DealAttest, DealSubshare, decode, encode } from '@conclave/wire'
import { expect } from 'chai'
import fc from 'fast-check'
import { abortOf } from './abort.ts'
import { collect, type Protocol, type Received, send } from './protocol.ts'
import { Session } from './session.ts'
import { always } from './testing/property.fixture.ts'

const FIRST = { number: 1, kind: 'broadcast', message: DealAttest } as const
const SECOND = { number: 2, kind: 'broadcast', message: DealAttest } as const
const word = (text: string) => encode(DealAttest, { signature: utf8(text) })

/** Two rounds; the result is everything that was heard, in the order of parties. `failing` throws after round 1. */
function* gossip(buffer: Uint8Array, failing?: unknown): Protocol<string> {
  using scope = new SecretScope()
  scope.own(buffer)
  const text = (m: ReadonlyMap<PartyId, { signature: Uint8Array }>) =>
    [...m].map(([j, v]) => j + new TextDecoder().decode(v.signature)).join()
  yield* send(FIRST, 'all', { signature: utf8('hello') })
  const first = text((yield* collect(FIRST)).values)
  if (failing !== undefined) throw failing
  yield* send(SECOND, 'all', { signature: utf8('bye') })
  return `${first};${text((yield* collect(SECOND)).values)}`
}

function* attesting(buffer: Uint8Array): Protocol<string> {
  using scope = new SecretScope()
  scope.own(buffer)
  yield* send(FIRST, 'all', { signature: utf8('before') })
  yield* collect(FIRST)
  const got = (yield { attest: { hash: utf8('hash'), pending: { kept: true } } }) as Received
  const signature = got.get(1) as Uint8Array
  yield* send(SECOND, 'all', { signature })
  yield* collect(SECOND)
  return new TextDecoder().decode(signature)
}

const PEERS: readonly PartyId[] = [2, 5]
const fresh = (protocol: Protocol<string>) => new Session({ self: 1, peers: PEERS, rounds: [FIRST, SECOND], protocol })
const secretBuffer = () => new Uint8Array(32).fill(7)
const wiped = (b: Uint8Array) => b.every((v) => v === 0)
const drops = (s: Session<string>) => Object.values(s.dropped).reduce((a, b) => a + b, 0)

/** Both rounds from both peers. */
function finish(s: Session<string>): void {
  for (const round of [1, 2]) for (const j of PEERS) s.receive(j, round, word(`r${round}`))
}

describe('session', () => {
  it('session: it sends when started, waits for every peer, and ends with the result', () => {
    const buffer = secretBuffer()
    const s = fresh(gossip(buffer))
    expect(s.state).to.equal('idle')
    expect(() => s.result)
      .to.throw(ConclaveError)
      .with.property('code', 'SESSION_UNFINISHED')
    const out = s.start()
    expect(out.map((o) => [o.round, o.to, new TextDecoder().decode(decode(DealAttest, o.body).signature)])).to.deep.equal([
      [1, 'all', 'hello'],
    ])
    expect([s.state, s.round, s.waitingFor]).to.deep.equal(['running', 1, [2, 5]])
    expect(s.receive(5, 1, word('e'))).to.deep.equal([])
    expect(s.waitingFor).to.deep.equal([2])
    expect(s.receive(2, 1, word('b')).map((o) => o.round)).to.deep.equal([2])
    expect([s.round, s.waitingFor, wiped(buffer)]).to.deep.equal([2, [2, 5], false])
    finish(s)
    expect([s.state, s.result, s.round, s.error]).to.deep.equal(['done', '2b,5e;2r2,5r2', undefined, undefined])
    expect(wiped(buffer)).to.equal(true)
  })

  it('session: a round that a peer sits out does not wait for it and does not look at what it says', () => {
    function* sitting(): Protocol<string> {
      const heard = [...(yield* collect(FIRST, [5])).values.keys()]
      return `${heard};${[...(yield* collect(SECOND)).values.keys()]}`
    }
    for (const order of [
      [5, 2],
      [2, 5],
    ]) {
      const s = fresh(sitting())
      s.start()
      expect(s.waitingFor).to.deep.equal([5])
      for (const j of order) s.receive(j, 1, word('first'))
      // The next round waits for everybody again.
      expect([s.round, s.waitingFor]).to.deep.equal([2, [2, 5]])
      for (const j of order) s.receive(j, 2, word('second'))
      expect([s.state, s.result]).to.deep.equal(['done', '5;2,5'])
    }
    const nobody = fresh(
      (function* () {
        return String((yield* collect(FIRST, [])).values.size)
      })(),
    )
    nobody.start()
    expect(nobody.result).to.equal('0')
  })

  it('session: the first well-formed message wins, and a malformed one leaves the place free', () => {
    const s = fresh(gossip(secretBuffer()))
    s.start()
    for (const body of [new Uint8Array(0), utf8('junk'), Uint8Array.from([...word('x'), 0]), new Uint8Array(10_000)]) s.receive(2, 1, body)
    s.receive(2, 1, word('one'))
    s.receive(2, 1, word('two'))
    s.receive(5, 1, word('five'))
    s.receive(2, 1, word('three'))
    finish(s)
    expect(s.result).to.equal('2one,5five;2r2,5r2')
    // The last two duplicates are round 1 of `finish`.
    expect(s.dropped).to.deep.equal({ 'unknown-party': 0, 'unknown-round': 0, duplicate: 4, malformed: 4, 'not-running': 0 })
  })

  it('session: unknown rounds, unknown parties and its own index are dropped and counted', () => {
    const s = fresh(gossip(secretBuffer()))
    s.start()
    for (const round of [0, 3, 16, -1, 1.5, Number.NaN, 2 ** 32 + 1]) s.receive(2, round, word('x'))
    for (const from of [0, 1, 3, 9, -2, 2.5, Number.NaN]) s.receive(from, 1, word('x'))
    expect(s.dropped).to.include({ 'unknown-round': 7, 'unknown-party': 7 })
    expect([s.state, s.waitingFor]).to.deep.equal(['running', [2, 5]])
    finish(s)
    expect(s.result).to.equal('2r1,5r1;2r2,5r2')
  })

  it('session: the inbox is bounded: one message a peer and round is kept, whatever arrives', () => {
    const s = fresh(gossip(secretBuffer()))
    for (let i = 0; i < 500; i++) for (const j of PEERS) for (const round of [1, 2]) s.receive(j, round, word(`${i}`))
    expect(s.dropped.duplicate).to.equal(4 * 499)
    s.start()
    expect(s.result).to.equal('20,50;20,50')
  })

  it('session: messages that arrive before the start, or a round early, count', () => {
    const s = fresh(gossip(secretBuffer()))
    s.receive(5, 2, word('early'))
    s.receive(2, 1, word('b'))
    expect([s.state, drops(s)]).to.deep.equal(['idle', 0])
    s.start()
    s.receive(2, 2, word('late'))
    expect(s.receive(5, 1, word('e')).map((o) => o.round)).to.deep.equal([2])
    expect(s.result).to.equal('2b,5e;2late,5early')
  })

  it('session: the result does not depend on the order of delivery', () => {
    const all = PEERS.flatMap((j) => [1, 2].map((round) => [j, round] as const))
    always(
      fc.property(fc.shuffledSubarray(all, { minLength: all.length }), fc.nat(4), (order, startAt) => {
        const s = fresh(gossip(secretBuffer()))
        for (const [i, [j, round]] of order.entries()) {
          if (i === startAt) s.start()
          s.receive(j, round, word(`${j}/${round}`))
        }
        if (s.state === 'idle') s.start()
        expect(s.result).to.equal('22/1,55/1;22/2,55/2')
        expect(drops(s)).to.equal(0)
      }),
    )
  })

  it('session: what a caller does with a body after handing it over changes nothing', () => {
    const s = fresh(gossip(secretBuffer()))
    s.start()
    const body = word('mine')
    s.receive(2, 1, body)
    body.fill(0)
    finish(s)
    expect(s.result).to.match(/^2mine,/)
  })

  it('session: after the end, everything is dropped', () => {
    const s = fresh(gossip(secretBuffer()))
    s.start()
    finish(s)
    expect(s.receive(2, 1, word('x'))).to.deep.equal([])
    expect(s.dropped['not-running']).to.equal(1)
    s.abort(abortOf('SIGN_ECHO'))
    expect([s.state, s.result]).to.deep.equal(['done', '2r1,5r1;2r2,5r2'])
  })

  it('session: it starts once', () => {
    const s = fresh(gossip(secretBuffer()))
    s.start()
    expect(() => s.start())
      .to.throw(ConclaveError)
      .with.property('code', 'ASSERTION')
  })

  it('session: a failed check ends the run, wipes it, and is the error', () => {
    const buffer = secretBuffer()
    const s = fresh(gossip(buffer, abortOf('OT_CHECK', [5])))
    s.start()
    finish(s)
    expect([s.state, s.error?.code, wiped(buffer)]).to.deep.equal(['aborted', 'OT_CHECK', true])
    expect(() => s.result)
      .to.throw()
      .with.property('culprits')
      .that.deep.equals([5])
    expect(s.dropped['not-running']).to.equal(2)
    expect([s.round, s.waitingFor]).to.deep.equal([undefined, []])
  })

  it('session: an error that is not ours becomes INTERNAL and keeps its cause', () => {
    for (const thrown of [new TypeError('oops'), 'text', null]) {
      const s = fresh(gossip(secretBuffer(), thrown))
      s.start()
      finish(s)
      expect([s.state, s.error?.code, s.error?.cause]).to.deep.equal(['aborted', 'INTERNAL', thrown])
    }
  })

  it('session: an abort from outside runs the finalizers before it returns, and the first error stays', () => {
    for (const steps of [0, 1, 2]) {
      const buffer = secretBuffer()
      const s = fresh(gossip(buffer))
      if (steps > 0) s.start()
      if (steps > 1) for (const j of PEERS) s.receive(j, 1, word('x'))
      s.abort(abortOf('SIGN_ECHO'))
      // Before the start the protocol has not taken over anything yet.
      expect([s.state, s.error?.code, wiped(buffer)]).to.deep.equal(['aborted', 'SIGN_ECHO', steps > 0])
      s.abort(abortOf('OT_CHECK', [2]))
      expect(s.error?.code).to.equal('SIGN_ECHO')
      expect(s.receive(2, 2, word('x'))).to.deep.equal([])
      expect(s.dropped['not-running']).to.equal(1)
    }
  })

  it('session: peers must be distinct and not oneself', () => {
    for (const peers of [
      [1, 2],
      [2, 2],
      [2, 3, 2],
    ])
      expect(() => new Session({ self: 1, peers, rounds: [FIRST], protocol: gossip(secretBuffer()) }))
        .to.throw(InvalidArgument)
        .with.property('code', 'BAD_PARTY_SET')
  })

  it('session: nothing is sent after an attestation was asked for until it is given', () => {
    const buffer = secretBuffer()
    const s = fresh(attesting(buffer))
    expect(() => s.attested(utf8('early')))
      .to.throw(ConclaveError)
      .with.property('code', 'ASSERTION')
    s.start()
    for (const j of PEERS) expect(s.receive(j, 1, word('x'))).to.deep.equal([])
    expect([s.state, s.attest?.hash, s.attest?.pending]).to.deep.equal(['attesting', utf8('hash'), { kept: true }])
    for (const j of PEERS) expect(s.receive(j, 2, word('x'))).to.deep.equal([])
    expect([s.state, wiped(buffer)]).to.deep.equal(['attesting', false])
    const out = s.attested(utf8('signed'))
    expect(out.map((o) => decode(DealAttest, o.body).signature)).to.deep.equal([utf8('signed')])
    expect([s.state, s.result, s.attest, wiped(buffer)]).to.deep.equal(['done', 'signed', undefined, true])
    expect(() => s.attested(utf8('again')))
      .to.throw(ConclaveError)
      .with.property('code', 'ASSERTION')
  })

  it('session: an abort while an attestation is awaited wipes, and the late attestation is refused', () => {
    const buffer = secretBuffer()
    const s = fresh(attesting(buffer))
    s.start()
    for (const j of PEERS) s.receive(j, 1, word('x'))
    s.abort(new ConclaveError('VAULT', 'no disk'))
    expect([s.state, s.error?.code, s.attest, wiped(buffer)]).to.deep.equal(['aborted', 'VAULT', undefined, true])
    expect(() => s.attested(utf8('late')))
      .to.throw(ConclaveError)
      .with.property('code', 'ASSERTION')
  })

  it('session: any sequence of messages leaves it in a sane state, and every one is taken or counted', () => {
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 90 }),
      fc.string({ minLength: 1, maxLength: 20 }).map((t) => word(t)),
      fc.constant(encode(DealSubshare, { subshare: new Uint8Array(32), echo: new Uint8Array(32) })),
    )
    const message = fc.tuple(fc.integer({ min: -1, max: 10 }), fc.integer({ min: -1, max: 17 }), body)
    always(
      fc.property(
        fc.array(fc.oneof(message, fc.tuple(fc.constantFrom(2, 5), fc.constantFrom(1, 2), body)), { maxLength: 30 }),
        (messages) => {
          const s = fresh(gossip(secretBuffer()))
          s.start()
          const out = messages.flatMap(([from, round, bytes]) => s.receive(from, round, bytes))
          expect(s.state).to.be.oneOf(['running', 'done'])
          const taken = messages.length - drops(s)
          expect(taken).to.be.within(s.state === 'done' ? 4 : 0, 4)
          expect(out.length).to.equal(s.state === 'done' || s.round === 2 ? 1 : 0)
        },
      ),
      { numRuns: 200 },
    )
  })

  it('session: what is no body at all is malformed', () => {
    const s = fresh(gossip(secretBuffer()))
    s.start()
    const bodies = [undefined, null, 7, 'text', {}, []]
    for (const body of bodies) s.receive(2, 1, body as never)
    expect(s.dropped.malformed).to.equal(bodies.length)
    expect(s.waitingFor).to.deep.equal([2, 5])
  })
})
