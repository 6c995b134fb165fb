import { ConclaveError } from '@conclave/core'
import { parsePairState } from '@conclave/mpc'
import { expect } from 'chai'
import { refusal } from '../refusal.fixture.ts'
import { isShort, SHORT_ITEMS_MAX, secretsOf } from './job.ts'
import { brokenSignJob, deaf, dkgJob, pairJob, seed, shortSignJob } from './jobs.fixture.ts'
import { SessionPool } from './session-pool.ts'
import { ownThread, type StartWorker, type WorkerEvents, workerThread } from './session-worker.ts'

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
      pool = new SessionPool({ size })
      const [one, two] = await setUp('pair')
      expect(parsePairState(one.public, one.secret).public.transcript).to.deep.equal(
        parsePairState(two.public, two.secret).public.transcript,
      )
      expect(pool.running).to.equal(0)
      await pool.close()
    }
  })

  it('session pool: a session that cannot begin fails alone; the others on its worker go on', async () => {
    pool = new SessionPool({ size: 1 })
    const good = setUp('pair')
    expect(await refusal(() => pool.run('bad', brokenSignJob(), seed(3), deaf))).to.match(/^(WIRE_DECODE|BAD_KEY)$/)
    expect(await good).to.have.length(2)
  })

  it('session pool: the secrets of a job leave this thread', async () => {
    pool = new SessionPool({ size: 1 })
    const job = brokenSignJob()
    const ours = seed(1)
    const secrets = [job.share.secret, ...[...job.pairs.values()].map((p) => p.secret), ours]
    const failed = refusal(() => pool.run('s', job, ours, deaf))
    for (const s of secrets) expect((s.buffer as ArrayBuffer).detached).to.equal(true)
    await failed
  })

  it('session pool: a worker that dies fails its sessions with WORKER_DIED, and the next session works', async () => {
    pool = new SessionPool({ size: 1, start: workerThread(FRAGILE) })
    const beside = refusal(() => pool.run('beside', pairJob(1, 2, 'beside'), seed(1), deaf))
    expect(await refusal(() => pool.run('s', dkgJob(1, 'die'), seed(2), deaf))).to.equal('WORKER_DIED')
    expect(await beside).to.equal('WORKER_DIED')
    expect(pool.running).to.equal(0)
    expect(await setUp('after')).to.have.length(2)
  })

  it('session pool: a worker that cannot even start fails its session, and is not started over and over', async () => {
    pool = new SessionPool({ size: 1, start: workerThread(new URL('./no-such-worker.ts', import.meta.url)) })
    for (const i of [1, 2]) expect(await refusal(() => pool.run(`s${i}`, pairJob(1, 2, 's'), seed(i), deaf))).to.equal('WORKER_DIED')
  })

  it('session pool: an id runs once at a time; a stopped one fails with the given error', async () => {
    pool = new SessionPool({ size: 1 })
    const first = refusal(() => pool.run('s', pairJob(1, 2, 's'), seed(1), deaf))
    expect(await refusal(() => pool.run('s', pairJob(1, 2, 's'), seed(2), deaf))).to.equal('SESSION_EXISTS')
    pool.stop('s', new ConclaveError('PEER_LOST', 'gone'))
    pool.stop('s', new ConclaveError('OTHER', 'twice'))
    expect(await first).to.equal('PEER_LOST')
  })

  it('session pool: what cannot be posted is not running', async () => {
    pool = new SessionPool({ size: 1 })
    const spent = seed(1)
    structuredClone(spent, { transfer: [spent.buffer as ArrayBuffer] })
    await refusal(() => pool.run('s', pairJob(1, 2, 's'), spent, deaf))
    expect(pool.running).to.equal(0)
  })

  it('session pool: close fails what runs and what comes', async () => {
    pool = new SessionPool({ size: 1 })
    const running = refusal(() => pool.run('s', pairJob(1, 2, 's'), seed(1), deaf))
    await pool.close()
    expect(await running).to.equal('CLOSED')
    expect(await refusal(() => pool.run('t', pairJob(1, 2, 't'), seed(2), deaf))).to.equal('CLOSED')
    expect(pool.running).to.equal(0)
  })

  it('session pool: a signing of few items with correlations for every peer is short, and nothing else is', () => {
    const job = shortSignJob()
    expect(isShort(job)).to.equal(true)
    const { items } = job.request
    const repeated = (count: number) => ({
      ...job,
      request: { ...job.request, items: Array.from({ length: count }, () => items[0] as (typeof items)[0]) },
    })
    expect([SHORT_ITEMS_MAX, SHORT_ITEMS_MAX + 1].map((n) => isShort(repeated(n)))).to.deep.equal([true, false])
    // With one peer that has nothing for us.
    expect(isShort({ ...job, stocked: new Set() })).to.equal(false)
    expect(isShort({ ...job, offers: new Map() })).to.equal(false)
    expect([pairJob(1, 2, 'x'), dkgJob(1, 'x')].some(isShort)).to.equal(false)
  })

  it('session pool: short sessions run near, on no worker; without such a place they run on the workers', async () => {
    for (const isNear of [true, false]) {
      const started: string[] = []
      const spy =
        (where: string): StartWorker =>
        (events) => {
          const worker = where === 'near' ? ownThread()(events) : workerThread()(events)
          return {
            post: (message, handOver) => {
              if (message.type === 'start') started.push(`${where} ${message.id}`)
              worker.post(message, handOver)
            },
            terminate: () => worker.terminate(),
          }
        }
      pool = new SessionPool({ size: 1, start: spy('worker'), ...(isNear ? { near: spy('near') } : {}) })
      await refusal(() => pool.run('short', shortSignJob(), seed(1), deaf))
      await refusal(() => pool.run('long', brokenSignJob(), seed(1), deaf))
      expect(started).to.deep.equal([`${isNear ? 'near' : 'worker'} short`, 'worker long'])
      await pool.close()
    }
  })

  it('session pool: workers start when they are needed; one that is idle for long ends, and its place is free; the last one stays', async () => {
    const log: string[] = []
    const events: WorkerEvents[] = []
    const start: StartWorker = (heard) => {
      const name = `worker ${events.push(heard)}`
      log.push(`${name} starts`)
      return {
        post: (message) => void log.push(`${name} ${message.type} ${message.id}`),
        terminate: async () => void log.push(`${name} ends`),
      }
    }
    const run = (id: string) => pool.run(id, pairJob(1, 2, id), seed(1), deaf)
    const end = (worker: number, id: string) => events[worker]?.heard({ type: 'done', id, result: [] })
    pool = new SessionPool({ size: 2, idleMs: 1, start })
    expect(log).to.deep.equal([])
    const both = [run('a'), run('b')]
    end(0, 'a')
    end(1, 'b')
    await Promise.all(both)
    // Begun last, so it fires when both workers have been idle for long enough.
    await new Promise((resolve) => setTimeout(resolve, 1))
    const begun = ['worker 1 starts', 'worker 1 start a', 'worker 2 starts', 'worker 2 start b']
    expect(log).to.deep.equal([...begun, 'worker 1 ends'])
    // What a thread says when it has ended must not end the one that is in its place.
    const next = [run('c'), run('d')]
    events[0]?.exited(undefined)
    expect(log.slice(5)).to.deep.equal(['worker 2 start c', 'worker 3 starts', 'worker 3 start d'])
    next.push(run('e'))
    expect(events).to.have.length(3)
    end(1, 'c')
    for (const id of ['d', 'e']) end(2, id)
    await Promise.all(next)
  })

  it('session pool: on its own thread a session wipes what it was given, and says nothing before the call has returned', async () => {
    pool = new SessionPool({ size: 1, near: ownThread() })
    const job = shortSignJob()
    const ours = seed(1)
    const secrets = [...secretsOf(job), ours]
    expect(secrets).to.have.length(5)
    const { promise, resolve } = Promise.withResolvers<unknown>()
    let isBack = false
    pool.run('s', job, ours, deaf).catch((error: unknown) => {
      expect(isBack).to.equal(true)
      resolve(error)
    })
    isBack = true
    expect(await promise)
      .to.have.property('code')
      .that.matches(/^(WIRE_DECODE|BAD_KEY)$/)
    for (const s of secrets) expect(s.every((b) => b === 0)).to.equal(true)
  })

  it('session pool: a near session is stopped as any other, and nothing is heard of it after close', async () => {
    pool = new SessionPool({ size: 1, near: ownThread() })
    const running = refusal(() => pool.run('s', shortSignJob(), seed(1), deaf))
    await pool.close()
    expect(await running).to.equal('CLOSED')
    expect(pool.running).to.equal(0)
  })
})
