import { ConclaveError } from '@conclave/core'
import { parsePairState } from '@conclave/mpc'
import { expect } from 'chai'
import { refusal } from '../refusal.fixture.ts'
import { brokenSignJob, deaf, dkgJob, pairJob, seed } from './jobs.fixture.ts'
import { SessionPool } from './session-pool.ts'
import { workerThread } from './session-worker.ts'

const FRAGILE = new URL('./fragile-worker.fixture.ts', import.meta.url)

describe('session pool', () => {
  let pool: SessionPool
  afterEach(() => pool.close())

  /** Both ends of a pair setup in one pool. */
  const setUp = (name: string) => {
    const ids = { 1: `${name}-1`, 2: `${name}-2` } as const
    const end = (self: 1 | 2, peer: 1 | 2) =>
      pool.run(ids[self], pairJob(self, peer, name), seed(self), {
        send: (messages) => {
          for (const m of messages) pool.receive(ids[peer], self, m.round, m.body)
        },
        waiting: () => undefined,
      })
    return Promise.all([end(1, 2), end(2, 1)])
  }

  it('session pool: two sessions of one protocol find each other, on one worker or on two', async () => {
    for (const size of [1, 2]) {
      pool = new SessionPool(size)
      const [one, two] = await setUp('pair')
      expect(parsePairState(one.public, one.secret).public.transcript).to.deep.equal(
        parsePairState(two.public, two.secret).public.transcript,
      )
      expect(pool.running).to.equal(0)
      await pool.close()
    }
  })

  it('session pool: a session that cannot begin fails alone; the others on its worker go on', async () => {
    pool = new SessionPool(1)
    const good = setUp('pair')
    expect(await refusal(() => pool.run('bad', brokenSignJob(), seed(3), deaf))).to.match(/^(WIRE_DECODE|BAD_KEY)$/)
    expect(await good).to.have.length(2)
  })

  it('session pool: the secrets of a job leave this thread', async () => {
    pool = new SessionPool(1)
    const job = brokenSignJob()
    const ours = seed(1)
    const secrets = [job.share.secret, ...[...job.pairs.values()].map((p) => p.secret), ours]
    const failed = refusal(() => pool.run('s', job, ours, deaf))
    for (const s of secrets) expect((s.buffer as ArrayBuffer).detached).to.equal(true)
    await failed
  })

  it('session pool: a worker that dies fails its sessions with WORKER_DIED, and the next session works', async () => {
    pool = new SessionPool(1, workerThread(FRAGILE))
    const beside = refusal(() => pool.run('beside', pairJob(1, 2, 'beside'), seed(1), deaf))
    expect(await refusal(() => pool.run('s', dkgJob(1, 'die'), seed(2), deaf))).to.equal('WORKER_DIED')
    expect(await beside).to.equal('WORKER_DIED')
    expect(pool.running).to.equal(0)
    expect(await setUp('after')).to.have.length(2)
  })

  it('session pool: a worker that cannot even start fails its session, and is not started over and over', async () => {
    pool = new SessionPool(1, workerThread(new URL('./no-such-worker.ts', import.meta.url)))
    for (const i of [1, 2]) expect(await refusal(() => pool.run(`s${i}`, pairJob(1, 2, 's'), seed(i), deaf))).to.equal('WORKER_DIED')
  })

  it('session pool: an id runs once at a time; a stopped one fails with the given error', async () => {
    pool = new SessionPool(1)
    const first = refusal(() => pool.run('s', pairJob(1, 2, 's'), seed(1), deaf))
    expect(await refusal(() => pool.run('s', pairJob(1, 2, 's'), seed(2), deaf))).to.equal('SESSION_EXISTS')
    pool.stop('s', new ConclaveError('PEER_LOST', 'gone'))
    pool.stop('s', new ConclaveError('OTHER', 'twice'))
    expect(await first).to.equal('PEER_LOST')
  })

  it('session pool: what cannot be posted is not running', async () => {
    pool = new SessionPool(1)
    const spent = seed(1)
    structuredClone(spent, { transfer: [spent.buffer as ArrayBuffer] })
    await refusal(() => pool.run('s', pairJob(1, 2, 's'), spent, deaf))
    expect(pool.running).to.equal(0)
  })

  it('session pool: close fails what runs and what comes', async () => {
    pool = new SessionPool(1)
    const running = refusal(() => pool.run('s', pairJob(1, 2, 's'), seed(1), deaf))
    await pool.close()
    expect(await running).to.equal('CLOSED')
    expect(await refusal(() => pool.run('t', pairJob(1, 2, 't'), seed(2), deaf))).to.equal('CLOSED')
    expect(pool.running).to.equal(0)
  })
})
