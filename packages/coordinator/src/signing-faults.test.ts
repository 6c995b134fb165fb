import type { Signed, SignedItem } from '@conclave/wire'
import { expect } from 'chai'
import { ANSWER_GRACE_MS, SILENT_MS } from './attempt.ts'
import { BACKOFF_MAX_MS, BACKOFF_MS } from './signing-job.ts'
import type { SigningBody } from './signing-schemas.ts'
import { type FakeNode, failure, type RequestBody, type ResponseBody } from './testing/fake-node.ts'
import { eventually, Harness } from './testing/harness.ts'
import { VERDICT_GRACE_MS } from './verdict-book.ts'

type Sign = Extract<RequestBody, { sign: unknown }>['sign']

/** Answers Sign in its own way; everything else is honest. */
function onSign(node: FakeNode, answer: (sign: Sign, honest: () => Promise<ResponseBody>) => Promise<ResponseBody | undefined>): void {
  node.intercept = (request, honest) => ('sign' in request ? answer(request.sign, honest) : honest())
}

/** Takes part in the session, so that the others can finish, and answers something else. */
function liesAbout(node: FakeNode, lie: (item: SignedItem) => Partial<SignedItem>): void {
  onSign(node, async (_, honest) => {
    const answer = await honest()
    if (!('signed' in answer)) return answer
    return { signed: { ...answer.signed, items: answer.signed.items.map((item) => ({ ...item, ...lie(item) })) } }
  })
}

/** The request with all attempts numbered 1, 2, 3..., each told once to each of its signers. */
async function ended(h: Harness, id: string): Promise<SigningBody> {
  const poll = h.ended(id)
  let isOver = false
  void poll.then(() => {
    isOver = true
  })
  // From the third attempt on there is a pause before each; nothing else waits so short.
  await eventually(() => {
    for (let ms = BACKOFF_MS; ms <= BACKOFF_MAX_MS; ms *= 2) if (h.clock.hasTimer(ms)) h.clock.advance(ms)
    return isOver
  })
  const body = await poll
  expect(body.attempts.map((a) => a.attempt)).deep.equal(body.attempts.map((_, i) => i + 1))
  expect([...h.cluster.attemptsOf(id)].sort()).deep.equal(body.attempts.map((a) => [a.attempt, a.signers]).sort())
  return body
}

describe('signing with faults', () => {
  it('a lie beside valid signatures: signed, and the liar is recorded', async () => {
    await using h = await Harness.start()
    liesAbout(h.cluster.node(1), (item) => ({ signature: item.signature.with(5, (item.signature[5] as number) ^ 1) }))
    const id = await h.request()
    expect((await ended(h, id)).state).equal('signed')
    expect((await h.recorded(id)).attempts[0]).deep.include({ signers: [1, 2, 3], code: 'WRONG_SIGNATURE', culprits: [1] })
  })

  it('nodes that agree on a wrong signature are not believed; the next attempt is without them', async () => {
    await using h = await Harness.start()
    for (const i of [1, 2])
      liesAbout(h.cluster.node(i), (item) => ({ signature: item.signature.with(5, (item.signature[5] as number) ^ 1) }))
    onSign(h.cluster.node(3), async ({ attempt }, honest) => (attempt === 1 ? failure('ABORTED', { culprits: [4] }) : await honest()))
    const id = await h.request()
    await eventually(() => h.clock.hasTimer(ANSWER_GRACE_MS) && h.cluster.world.signs.length === 3)
    h.clock.advance(ANSWER_GRACE_MS)
    const body = await ended(h, id)
    expect(body.state).equal('signed')
    expect(body.attempts[0]).deep.include({ outcome: 'failed', signers: [1, 2, 3], culprits: [] })
    expect(body.attempts[1]?.signers).deep.equal([1, 4, 5])
  })

  it('a signature of another digest is not believed', async () => {
    await using h = await Harness.start()
    for (const node of h.cluster.nodes) liesAbout(node, ({ digest }) => ({ digest: digest.with(0, (digest[0] as number) ^ 1) }))
    h.cluster.nodes.slice(3).forEach((node) => {
      node.intercept = (_, honest) => honest()
    })
    const body = await ended(h, await h.request())
    expect(body.attempts[0]).deep.include({ outcome: 'failed', code: 'WRONG_DIGEST', culprits: [1, 2, 3] })
    expect(body.state).equal('signed')
    expect(body.signers).contain.members([4, 5])
  })

  it('a node that derives another digest from the payload is never a signer', async () => {
    await using h = await Harness.start()
    h.cluster.node(2).intercept = async (request, honest) => {
      if ('sign' in request) return failure('SESSION_SILENT', { waitingFor: [1] })
      const answer = await honest()
      return 'verdict' in answer ? { verdict: { ...answer.verdict, digests: answer.verdict.digests.map((d) => d.with(0, 1)) } } : answer
    }
    // With another digest it is another session: the others wait for it in vain.
    for (const i of [1, 3]) {
      onSign(h.cluster.node(i), async ({ signers }, honest) =>
        signers.includes(2) ? failure('SESSION_SILENT', { waitingFor: [2] }) : await honest(),
      )
    }
    const first = await ended(h, await h.request())
    expect(first.nodeVerdicts.find((v) => v.node === 2)).include({ allowed: false, code: 'DIGEST_MISMATCH' })
    expect(first.attempts.map((a) => a.code)).deep.equal(['DENIED', null])
    for (const body of [first, await ended(h, await h.request(1)), await ended(h, await h.request(2))]) {
      expect(body.state).equal('signed')
      expect(body.signers).not.include(2)
    }
  })

  it('a verdict about another request counts for nothing', async () => {
    await using h = await Harness.start()
    h.cluster.node(1).intercept = async (_, honest) => {
      const answer = await honest()
      return 'verdict' in answer ? { verdict: { ...answer.verdict, requestId: new Uint8Array(32) } } : answer
    }
    const body = await ended(h, await h.request())
    expect(body.nodeVerdicts.map((v) => v.node)).not.include(1)
    expect(body.state).equal('signed')
  })

  it('a silent signer whom the others wait for is not asked again while there are others', async () => {
    await using h = await Harness.start()
    onSign(h.cluster.node(1), async () => undefined)
    for (const i of [2, 3]) {
      onSign(h.cluster.node(i), async ({ signers }, honest) =>
        signers.includes(1) ? failure('SESSION_TIMEOUT', { waitingFor: [1] }) : await honest(),
      )
    }
    const id = await h.request()
    await eventually(() => h.clock.hasTimer(ANSWER_GRACE_MS))
    h.clock.advance(ANSWER_GRACE_MS)
    const body = await ended(h, id)
    expect(body.state).equal('signed')
    expect(body.attempts[0]).deep.include({ outcome: 'failed', code: 'SESSION_TIMEOUT', signers: [1, 2, 3], waitingFor: [1] })
    expect(body.attempts).lengthOf(2)
    expect(body.signers).not.include(1)
  })

  it('signers that are all silent: the attempt times out, nobody is blamed, and other sets have their turn', async () => {
    await using h = await Harness.start({ attemptTimeoutMs: 9000 })
    onSign(h.cluster.node(1), async () => undefined)
    const id = await h.request()
    for (let attempt = 1; attempt <= 2; attempt++) {
      await eventually(() => h.cluster.world.signs.length === 3 * attempt)
      h.clock.advance(9000)
    }
    const body = await ended(h, id)
    expect(body.state).equal('signed')
    expect(body.attempts[0]).deep.include({
      outcome: 'failed',
      code: 'NODE_TIMEOUT',
      signers: [1, 2, 3],
      waitingFor: [1, 2, 3],
      culprits: [],
    })
    expect(body.attempts[1]).deep.include({ signers: [1, 4, 5], outcome: 'failed' })
    expect(body.signers).not.include(1)
  })

  it('the link of a signer goes down: the attempt fails at once and the next is without it', async () => {
    await using h = await Harness.start()
    onSign(h.cluster.node(2), async () => {
      h.cluster.node(2).kill()
      return undefined
    })
    const body = await ended(h, await h.request())
    expect(body.state).equal('signed')
    expect(body.attempts).lengthOf(2)
    expect(body.attempts[0]?.waitingFor).include(2)
    expect(body.attempts[1]?.signers).not.include(2)
  })

  it('liars that accuse the honest: every set has its turn until one signs', async () => {
    await using h = await Harness.start()
    // 1 and 2 always accuse somebody else, so only 3, 4, 5 can succeed.
    for (const i of [1, 2]) {
      onSign(h.cluster.node(i), async ({ signers }) => failure('ABORTED', { culprits: signers.filter((s) => s > 2) }))
    }
    for (const i of [3, 4, 5]) {
      onSign(h.cluster.node(i), async ({ signers }, honest) =>
        signers.some((s) => s < 3) ? failure('ABORTED', { waitingFor: signers.filter((s) => s < 3) }) : await honest(),
      )
    }
    const body = await ended(h, await h.request())
    expect(body.state).equal('signed')
    expect(body.signers).deep.equal([3, 4, 5])
    expect(new Set(body.attempts.map((a) => a.signers.join())).size).equal(body.attempts.length)
  })

  it('SIGNING_FAILED after maxAttempts, with what the last attempt said', async () => {
    await using h = await Harness.start({ maxAttempts: 3 })
    for (const node of h.cluster.nodes) onSign(node, async () => failure('CORRELATION_SPENT'))
    const body = await ended(h, await h.request())
    expect(body.state).equal('failed')
    expect(body.error).include({ code: 'SIGNING_FAILED', retriable: true })
    expect(body.error?.detail).contain('3 attempts').contain('CORRELATION_SPENT')
    expect(body.attempts).lengthOf(3)
  })

  it('DEADLINE_EXCEEDED when attempts take until the deadline', async () => {
    await using h = await Harness.start({ attemptTimeoutMs: 60_000 })
    for (const node of h.cluster.nodes) onSign(node, async () => undefined)
    const id = await h.request(0, { deadlineMs: 4000 })
    await eventually(() => h.cluster.world.signs.length === 3)
    h.clock.advance(4000)
    const body = await ended(h, id)
    expect(body.error).include({ code: 'DEADLINE_EXCEEDED', retriable: true, status: 504 })
    expect(body.attempts).lengthOf(1)
  })

  it('a signer that does not know the request is proposed to again', async () => {
    await using h = await Harness.start()
    let proposals = 0
    h.cluster.node(1).intercept = async (request, honest) => {
      if ('propose' in request) proposals++
      if ('sign' in request && request.sign.attempt === 1) return failure('UNKNOWN_REQUEST', { retriable: false })
      return await honest()
    }
    for (const i of [2, 3]) {
      onSign(h.cluster.node(i), async ({ attempt }, honest) =>
        attempt === 1 ? failure('SESSION_ABORTED', { waitingFor: [1] }) : await honest(),
      )
    }
    const body = await ended(h, await h.request())
    expect(body.state).equal('signed')
    expect(body.attempts[0]).deep.include({ refusedBy: [1], waitingFor: [1] })
    expect(proposals).equal(2)
  })

  it('pairs burned by an attempt are seen before the next one', async () => {
    await using h = await Harness.start()
    onSign(h.cluster.node(1), async ({ signers }) => {
      for (const s of signers) if (s !== 1) h.cluster.node(1).pairs.set(s, 'burned')
      for (const s of [4, 5]) h.cluster.node(1).pairs.set(s, 'burned')
      return failure('OT_CHECK', { retriable: false, culprits: [signers[1] as number] })
    })
    for (const i of [2, 3]) {
      onSign(h.cluster.node(i), async ({ signers }, honest) => (signers.includes(1) ? failure('SESSION_ABORTED') : await honest()))
    }
    const body = await ended(h, await h.request())
    expect(body.state).equal('signed')
    expect(body.attempts).lengthOf(2)
    expect(body.signers).not.include(1)
  })

  it('a node that never answers a proposal delays nobody for long', async () => {
    await using h = await Harness.start()
    h.cluster.node(1).intercept = async (request, honest) => ('status' in request ? await honest() : undefined)
    const id = await h.request()
    await eventually(async () => (await h.signing(id)).state === 'signing' && h.cluster.world.signs.length === 3)
    // Not at once: the others may be as slow.
    h.clock.advance(SILENT_MS - 1)
    expect((await h.signing(id)).state).equal('signing')
    h.clock.advance(1)
    await eventually(() => h.clock.hasTimer(VERDICT_GRACE_MS))
    h.clock.advance(VERDICT_GRACE_MS)
    const body = await ended(h, id)
    expect(body.state).equal('signed')
    expect(body.nodeVerdicts.map((v) => v.node)).deep.equal([2, 3, 4, 5])
    expect(body.attempts[0]).deep.include({ outcome: 'failed', code: 'SIGNER_SILENT', waitingFor: [1] })
    expect(body.signers).not.include(1)
    // Nor does it delay the next one.
    const next = await ended(h, await h.request(1))
    expect(next.attempts).lengthOf(1)
    expect(next.signers).not.include(1)
  })

  it('a final failure to propose is a denial, a passing one is asked again', async () => {
    await using h = await Harness.start()
    for (const i of [1, 2])
      h.cluster.node(i).intercept = async (r, honest) => ('propose' in r ? failure('UNKNOWN_KEY', { retriable: false }) : await honest())
    let busy = 2
    h.cluster.node(3).intercept = async (r, honest) => ('propose' in r && busy-- > 0 ? failure('BUSY') : await honest())
    const id = await h.request()
    await eventually(async () => {
      h.clock.advance(1000)
      return (await h.signing(id)).state === 'signed'
    })
    const body = await ended(h, id)
    expect(body.signers).deep.equal([3, 4, 5])
    expect(body.nodeVerdicts.slice(0, 2).map((v) => v.code)).deep.equal(['UNKNOWN_KEY', 'UNKNOWN_KEY'])
  })

  it('repeated and late answers, requests and garbage of a node change nothing', async () => {
    await using h = await Harness.start()
    const late: Signed[] = []
    onSign(h.cluster.node(1), async (_, honest) => {
      const answer = await honest()
      if ('signed' in answer) late.push(answer.signed)
      for (let id = 0; id < 64; id++) {
        h.cluster.node(1).send({ body: { response: { id: 1000 + id, body: answer } } })
        h.cluster.node(1).send({ body: { request: { id, traceparent: '', body: { status: {} } } } })
      }
      h.cluster.node(1).send(Uint8Array.of(0xff, 0xff, 0xff))
      h.cluster.node(1).send(new Uint8Array(1000))
      return answer
    })
    for (let i = 0; i < 5; i++) expect((await ended(h, await h.request(i))).state).equal('signed')
    for (const signed of late) for (let id = 0; id < 200; id++) h.cluster.node(1).send({ body: { response: { id, body: { signed } } } })
    expect((await ended(h, await h.request(9))).state).equal('signed')
    expect(h.log.some((line) => line.includes('what is not a frame'))).equal(true)
  })
})
