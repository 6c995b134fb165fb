import { codeOf, type IdentitySigner } from '@conclave/core'
import { decode, encode, Hello, Proof } from '@conclave/wire'
import { expect } from 'chai'
import { testCluster, testP256Signer, withProvers } from './conformance.ts'
import { Handshake, type HandshakeInit } from './handshake.ts'
import { helloOf } from './hello.ts'

type Role = HandshakeInit['role']
const NAMES = { dialer: 'node-1', acceptor: 'node-2' } as const
const other = (role: Role): Role => (role === 'dialer' ? 'acceptor' : 'dialer')

/** One side, of those that must prove. */
function side(role: Role, provers: readonly Role[], change: Partial<HandshakeInit> = {}): Handshake {
  const { lock, member, identity } = withProvers(
    testCluster(3),
    provers.map((p) => NAMES[p]),
  )
  const parts = { self: member(NAMES[role]), peer: member(NAMES[other(role)]), identity: identity(NAMES[role]) }
  return new Handshake({ role, ...parts, hello: helloOf(lock, ''), signTimeoutMs: 5_000, admit: () => true, ...change })
}

interface Run {
  /** Everything that was sent, in order; the first is of the dialer, and then they take turns or the acceptor goes on. */
  readonly sent: readonly { readonly from: Role; readonly frame: Uint8Array }[]
  /** What became of each side: up, a reason, or the code of an error; undefined while it waits. */
  readonly dialer: string | undefined
  readonly acceptor: string | undefined
}

/** Lets both talk until nobody has anything to say. @param tamper - what arrives of the i-th frame. */
async function run(dialer: Handshake, acceptor: Handshake, tamper: (frame: Uint8Array, i: number) => Uint8Array = (f) => f): Promise<Run> {
  const sides = { dialer, acceptor }
  const ends: Partial<Record<Role, string>> = {}
  const sent: { from: Role; frame: Uint8Array }[] = [{ from: 'dialer', frame: dialer.opening() }]
  // Both HELLOs and both proofs, and one that would be too many.
  for (let i = 0; i < Math.min(sent.length, 5); i++) {
    const { from, frame } = sent[i] as (typeof sent)[0]
    const to = other(from)
    if (ends[to] !== undefined) break
    try {
      let step = sides[to].receive(tamper(frame, i))
      sent.push(...step.send.map((message) => ({ from: to, frame: message })))
      if (step.next === 'sign') {
        step = await sides[to].prove()
        sent.push(...step.send.map((message) => ({ from: to, frame: message })))
      }
      if (step.next !== 'wait') ends[to] = step.next
    } catch (error) {
      ends[to] = codeOf(error)
    }
  }
  return { sent, dialer: ends.dialer, acceptor: ends.acceptor }
}

const BOTH: readonly Role[] = ['dialer', 'acceptor']
const CASES: readonly (readonly Role[])[] = [[], ['dialer'], ['acceptor'], BOTH]
const alterProof = (change: (proof: Proof) => Partial<Proof>) => (frame: Uint8Array) => {
  const proof = decode(Proof, frame)
  return encode(Proof, { ...proof, ...change(proof) })
}

describe('handshake', () => {
  it('handshake: without anything to prove it is two HELLOs, and no byte is spent on proofs', async () => {
    const { sent, dialer, acceptor } = await run(side('dialer', []), side('acceptor', []))
    expect([dialer, acceptor]).to.deep.equal(['up', 'up'])
    // Two hashes of 32 bytes with their prefixes, and the number of the protocol.
    expect(sent.map((s) => s.frame.length)).to.deep.equal([70, 70])
  })

  for (const provers of CASES.slice(1)) {
    it(`handshake: ${provers.join(' and ')} must prove, both come up, and the acceptor has the last word`, async () => {
      const { sent, dialer, acceptor } = await run(side('dialer', provers), side('acceptor', provers))
      expect([dialer, acceptor]).to.deep.equal(['up', 'up'])
      const proofs = sent.slice(2).map(({ from, frame }) => [from, decode(Proof, frame).signature.length > 0, decode(Proof, frame).consent])
      const ofAcceptor = ['acceptor', provers.includes('acceptor'), true]
      expect(proofs).to.deep.equal(provers.includes('dialer') ? [['dialer', true, false], ofAcceptor] : [ofAcceptor])
      const nonces = sent.slice(0, 2).map(({ from, frame }) => [from, decode(Hello, frame).nonce.length])
      expect(nonces).to.deep.equal(BOTH.map((role) => [role, provers.includes(other(role)) ? 32 : 0]))
    })
  }

  it('nonce: is another one for every link', () => {
    const nonces = Array.from({ length: 20 }, () => Buffer.from(decode(Hello, side('dialer', BOTH).opening()).nonce).toString('hex'))
    expect(new Set(nonces).size).to.equal(20)
  })

  for (const prover of BOTH) {
    const judge = other(prover)
    /** Where the proof is among the frames, when only this side must prove. */
    const at = 2
    const refusedWith = async (tamper: (frame: Uint8Array) => Uint8Array) => {
      const outcome = await run(side('dialer', [prover]), side('acceptor', [prover]), (frame, i) => (i === at ? tamper(frame) : frame))
      return outcome[judge]
    }

    it(`proof: of the ${prover}, missing, changed, or by another key, is IDENTITY_UNPROVED`, async () => {
      expect(await refusedWith((frame) => frame)).to.equal('up')
      expect(await refusedWith(alterProof(() => ({ signature: new Uint8Array(0) })))).to.equal('IDENTITY_UNPROVED')
      const flip = ({ signature }: Proof) => ({ signature: signature.map((b, i) => (i === 40 ? b ^ 1 : b)) })
      expect(await refusedWith(alterProof(flip))).to.equal('IDENTITY_UNPROVED')
      const { key } = testP256Signer(NAMES[prover])
      const stolen: IdentitySigner = { key, sign: testP256Signer('mallory').sign }
      const forged = await side(prover, [prover], { identity: stolen }).prove().catch(codeOf)
      expect(forged).to.equal('BAD_SIGNATURE')
    })

    it(`proof: of the ${prover}, made for another link, is IDENTITY_UNPROVED`, async () => {
      const before = await run(side('dialer', [prover]), side('acceptor', [prover]))
      const replayed = before.sent[at]?.frame as Uint8Array
      expect(await refusedWith(() => replayed)).to.equal('IDENTITY_UNPROVED')
    })

    it(`proof: of the ${prover}, made for another member over the very nonce of this one, is IDENTITY_UNPROVED`, async () => {
      // node-3 has this side's nonce and asks the prover for a signature over it, in a link of its own.
      const { member } = testCluster(3)
      const relay = async (frame: Uint8Array, nonce: Uint8Array) => {
        const asked = side(prover, [prover], { peer: member('node-3') })
        const theirs = decode(Hello, side(judge, [prover]).opening())
        let step = asked.receive(encode(Hello, { ...theirs, nonce }))
        if (step.next === 'sign') step = await asked.prove()
        return encode(Proof, { ...decode(Proof, frame), signature: decode(Proof, step.send[0] as Uint8Array).signature })
      }
      const [dialer, acceptor] = [side('dialer', [prover]), side('acceptor', [prover])]
      const nonce = decode(Hello, { dialer, acceptor }[judge].opening()).nonce
      const honest = await run(side('dialer', [prover]), side('acceptor', [prover]))
      const relayed = await relay(honest.sent[at]?.frame as Uint8Array, nonce)
      const outcome = await run(dialer, acceptor, (frame, i) => (i === at ? relayed : frame))
      expect(outcome[judge]).to.equal('IDENTITY_UNPROVED')
    })

    it(`proof: of the ${prover}, with the consent of the wrong side, or with one frame too many, is HELLO_INVALID`, async () => {
      expect(await refusedWith(alterProof(({ consent }) => ({ consent: !consent })))).to.equal('HELLO_INVALID')
      const signing = side(prover, [prover])
      const hello = decode(Hello, side(judge, [prover]).opening())
      expect(signing.receive(encode(Hello, hello)).next).to.equal('sign')
      expect(() => signing.receive(encode(Hello, hello)))
        .to.throw()
        .with.property('code', 'HELLO_INVALID')
    })

    it(`proof: a HELLO to the ${prover} without a nonce, or to one that has nothing to prove with one, is HELLO_INVALID`, () => {
      const hello = decode(Hello, side(judge, [prover]).opening())
      const bare = { ...hello, nonce: new Uint8Array(0) }
      const code = (provers: readonly Role[], given: Hello) => {
        try {
          return side(prover, provers).receive(encode(Hello, given)).next
        } catch (error) {
          return codeOf(error)
        }
      }
      expect(code([prover], bare)).to.equal('HELLO_INVALID')
      // The hash of the lock covers who must prove, so it is taken from that lock.
      const plain = decode(Hello, side(judge, []).opening())
      expect(code([], { ...plain, nonce: hello.nonce })).to.equal('HELLO_INVALID')
    })
  }

  it('proof: a key that does not answer is IDENTITY_TIMEOUT', async () => {
    const { key } = testP256Signer('node-1')
    const slow = side('dialer', ['dialer'], { identity: { key, sign: () => new Promise(() => undefined) }, signTimeoutMs: 5 })
    expect(slow.receive(side('acceptor', ['dialer']).opening()).next).to.equal('sign')
    expect(await slow.prove().then(() => 'PROVED', codeOf)).to.equal('IDENTITY_TIMEOUT')
  })

  for (const provers of CASES) {
    it(`admission: with ${provers.length === 0 ? 'nobody' : provers.join(' and ')} to prove, a link that is not wanted any more is REPLACED before it is up`, async () => {
      const asked: number[] = []
      const admit = (until: number) => () => asked.push(1) < until
      const outcomes: (string | undefined)[] = []
      for (let until = 1; until <= 3; until++) {
        asked.length = 0
        outcomes.push((await run(side('dialer', provers), side('acceptor', provers, { admit: admit(until) }))).acceptor)
      }
      // Asked at HELLO, and with proofs again before the consent.
      expect(outcomes).to.deep.equal(provers.length === 0 ? ['REPLACED', 'up', 'up'] : ['REPLACED', 'REPLACED', 'up'])
    })
  }
})
