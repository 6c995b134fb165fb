import { MessageChannel } from 'node:worker_threads'
import { ConclaveError, type PartyId, tagged } from '@conclave/core'
import type { Outgoing } from '@conclave/mpc'
import { decode, encode, SignCommit } from '@conclave/wire'
import { expect } from 'chai'
import { refusal } from '../refusal.fixture.ts'
import { identity, SCOPE } from '../store/dkg.fixture.ts'
import type { FromWorker, OpenedRecord, SignJob, ToWorker } from './job.ts'
import { dkgJob, pairJob, seed } from './jobs.fixture.ts'
import { SessionPool } from './session-pool.ts'
import { serveSessions } from './worker.ts'

type End = 1 | 2
const other = (self: End): End => (self === 1 ? 2 : 1)
const copy = (r: OpenedRecord): OpenedRecord => ({ public: Uint8Array.from(r.public), secret: Uint8Array.from(r.secret) })

describe('session stop', () => {
  let pool: SessionPool
  const shares = new Map<PartyId, OpenedRecord>()
  const pairs = new Map<PartyId, OpenedRecord>()

  /** Runs one session at both ends, each in its own slot of the pool. */
  const both = <T>(
    begin: (self: End, id: string, post: (messages: readonly Outgoing[]) => void) => Promise<T>,
    name: string,
  ): Promise<[T, T]> => {
    const id = (self: End) => `${name}-${self}`
    const end = (self: End) =>
      begin(self, id(self), (messages) => {
        for (const m of messages) pool.receive(id(other(self)), self, m.round, m.body)
      })
    return Promise.all([end(1), end(2)])
  }

  before(async () => {
    pool = new SessionPool({ size: 1 })
    await both((self, id, send) => {
      const attest = async (hash: Uint8Array, share: OpenedRecord) => {
        shares.set(self, copy(share))
        return identity(self).sign(hash)
      }
      return pool.run(id, dkgJob(self, 'stop'), seed(self), { send, waiting: () => undefined, attest })
    }, 'dkg')
    const states = await both(
      (self, id, send) => pool.run(id, pairJob(self, other(self), 'stop'), seed(self), { send, waiting: () => undefined }),
      'pair',
    )
    pairs.set(1, states[0])
    pairs.set(2, states[1])
  })
  after(() => pool.close())

  const signJob = (self: End, attempt: number): SignJob => ({
    ...{ kind: 'sign', self, clusterContext: SCOPE.clusterContext, share: copy(shares.get(self) as OpenedRecord) },
    pairs: new Map([[other(self), copy(pairs.get(self) as OpenedRecord)]]),
    ...{ offers: new Map(), stocked: new Set() },
    request: {
      ...{ requestId: tagged('r'), statement: tagged('s'), signers: [1, 2] },
      items: [{ digest: tagged('d'), path: [] }],
      purpose: 'evm.tx',
      attempt,
    },
  })

  /** Round 1 of the peer in an attempt, as honest or with one bit of every column changed. */
  const commitOf = async (attempt: number, cheat: boolean): Promise<Uint8Array> => {
    const { promise, resolve } = Promise.withResolvers<Uint8Array>()
    const id = `peer-${attempt}`
    const running = refusal(() =>
      pool.run(id, signJob(2, attempt), seed(2), { send: ([m]) => m?.round === 1 && resolve(m.body), waiting: () => undefined }),
    )
    const honest = decode(SignCommit, await promise)
    pool.stop(id, new ConclaveError('OVER', 'only its first message was wanted'))
    await running
    const spoiled = (columns: Uint8Array) => columns.map((b, i) => (cheat && i % 112 === 0 ? b ^ 1 : b))
    return encode(SignCommit, { ...honest, ots: honest.ots.map((ot) => ({ ...ot, columns: spoiled(ot.columns) })) })
  }

  for (const [cheat, code] of [
    [true, 'OT_CHECK'],
    [false, 'PEER_LOST'],
  ] as const) {
    it(`session stop: stopped right after ${cheat ? 'a cheating' : 'an honest'} message, a session ends with ${code}`, async () => {
      const attempt = cheat ? 1 : 2
      const body = await commitOf(attempt, cheat)
      const sent: number[] = []
      const send = (messages: readonly Outgoing[]) => void sent.push(...messages.map((m) => m.round))
      const outcome = refusal(() => pool.run('victim', signJob(1, attempt), seed(1), { send, waiting: () => undefined }))
      pool.receive('victim', 2, 1, body)
      // The peer says that it stopped, or its link drops, before the check was made.
      pool.stop('victim', new ConclaveError('PEER_LOST', 'gone'))
      expect(await outcome).to.equal(code)
      // Nothing goes out of a session that was stopped, not even the next round of an honest run.
      expect(sent).to.not.include(2)
      expect(pool.running).to.equal(0)
    })
  }

  it('session stop: a message that comes after the stop is not looked at', async () => {
    const body = await commitOf(3, true)
    const { port1, port2 } = new MessageChannel()
    try {
      serveSessions(port2)
      const heard: FromWorker[] = []
      const served = Promise.withResolvers<void>()
      port1.on('message', (m: FromWorker) => {
        heard.push(m)
        if (m.type === 'stopped' && m.id === 'marker') served.resolve()
      })
      const tell = (m: ToWorker) => port1.postMessage(m)
      tell({ type: 'start', id: 'late', job: signJob(1, 3), seed: seed(1) })
      tell({ type: 'abort', id: 'late' })
      tell({ type: 'receive', id: 'late', from: 2, round: 1, body })
      // Served in order: when the marker has stopped, the late message is dealt with.
      tell({ type: 'start', id: 'marker', job: signJob(1, 4), seed: seed(1) })
      tell({ type: 'abort', id: 'marker' })
      await served.promise
      expect(heard.filter((m) => m.id === 'late').map((m) => m.type)).to.deep.equal(['send', 'waiting', 'stopped'])
    } finally {
      port1.close()
    }
  })
})
