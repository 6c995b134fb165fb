import { ConclaveError, type PartyId, tagged, toHex } from '@conclave/core'
import { CORRELATION_BYTES, type Outgoing } from '@conclave/mpc'
import { decode, SignCommit } from '@conclave/wire'
import { expect } from 'chai'
import type { StockEntry } from '../pool/shelf.ts'
import { refusal } from '../refusal.fixture.ts'
import { identity, SCOPE } from '../store/dkg.fixture.ts'
import type { CorrelateJob, FromWorker, OpenedRecord, SignJob, ToWorker } from './job.ts'
import { deaf, dkgJob, pairJob, seed } from './jobs.fixture.ts'
import { SessionPool } from './session-pool.ts'
import type { StartWorker, WorkerEvents } from './session-worker.ts'
import { Sessions } from './worker.ts'

type End = 1 | 2
const ENDS: readonly End[] = [1, 2]
const other = (self: End): End => (self === 1 ? 2 : 1)
const copy = (r: OpenedRecord): OpenedRecord => ({ public: r.public, secret: Uint8Array.from(r.secret) })
const entry = (i: number): StockEntry => ({ name: tagged('entry', Uint8Array.of(i)), secret: new Uint8Array(CORRELATION_BYTES).fill(1) })
const isWiped = (e: StockEntry): boolean => e.secret.every((b) => b === 0)

describe('correlate job', () => {
  let pool: SessionPool
  const shares = new Map<PartyId, OpenedRecord>()
  const pairs = new Map<PartyId, OpenedRecord>()

  /** Runs one session at both ends. */
  async function both<T>(name: string, begin: (self: End, id: string, send: (messages: readonly Outgoing[]) => void) => Promise<T>) {
    const [one, two] = await Promise.all(
      ENDS.map((self) =>
        begin(self, `${name}-${self}`, (messages) => {
          for (const m of messages) pool.receive(`${name}-${other(self)}`, self, m.round, m.body)
        }),
      ),
    )
    return [one, two] as [T, T]
  }
  const waiting = () => undefined

  before(async () => {
    pool = new SessionPool({ size: 2 })
    await both('dkg', (self, id, send) => {
      const attest = async (hash: Uint8Array, share: OpenedRecord) => {
        shares.set(self, copy(share))
        return identity(self).sign(hash)
      }
      return pool.run(id, dkgJob(self, 'correlate'), seed(self), { send, waiting, attest })
    })
    const states = await both('pair', (self, id, send) =>
      pool.run(id, pairJob(self, other(self), 'correlate'), seed(self), { send, waiting }),
    )
    for (const self of ENDS) pairs.set(self, states[self - 1] as OpenedRecord)
  })
  after(() => pool.close())

  const correlateJob = (self: End, count: number, nonce = 'n'): CorrelateJob => ({
    ...{ kind: 'correlate', self, peer: other(self), count, nonce: tagged(nonce) },
    pair: copy(pairs.get(self) as OpenedRecord),
  })
  const signJob = (self: End, attempt: number, offered: readonly StockEntry[], stocked: boolean): SignJob => ({
    ...{ kind: 'sign', self, clusterContext: SCOPE.clusterContext, share: copy(shares.get(self) as OpenedRecord) },
    pairs: new Map([[other(self), copy(pairs.get(self) as OpenedRecord)]]),
    request: {
      ...{ requestId: tagged('r'), statement: tagged('s'), signers: [1, 2] },
      items: [{ digest: tagged('d'), path: [] }],
      purpose: 'evm.tx',
      attempt,
    },
    offers: new Map(self === 1 && offered.length > 0 ? [[2, offered]] : []),
    stocked: new Set(self === 2 && stocked ? [1] : []),
  })
  const correlated = (count: number, nonce: string) =>
    both(nonce, (self, id, send) => pool.run(id, correlateJob(self, count, nonce), seed(self), { send, waiting }))

  it('correlate job: both ends get entries of the same names, and the pair state leaves this thread', async () => {
    const job = correlateJob(1, 1, 'leaves')
    const failed = refusal(() => pool.run('leaves', job, seed(1), deaf))
    expect((job.pair.secret.buffer as ArrayBuffer).detached).to.equal(true)
    pool.stop('leaves', new ConclaveError('OVER', 'enough'))
    expect(await failed).to.equal('OVER')
    const [one, two] = await correlated(3, 'three')
    expect(one.map((e) => toHex(e.name))).to.deep.equal(two.map((e) => toHex(e.name)))
    expect(new Set([...one, ...two].map((e) => toHex(e.secret))).size).to.equal(6)
    for (const e of [...one, ...two]) expect(e.secret).to.have.length(CORRELATION_BYTES)
  })

  it('correlate job: a signature takes what was offered out of the stock, once, and gets it handed over', async () => {
    const [one, two] = await correlated(1, 'signs')
    const held = two[0] as StockEntry
    const wanted: string[] = []
    const rounds: number[] = []
    const [signed] = await both('sign', (self, id, send) =>
      pool.run(id, signJob(self, 0, one, true), seed(10 + self), {
        waiting,
        send: (messages) => {
          for (const m of messages) {
            rounds.push(m.round)
            if (m.round === 1) expect(decode(SignCommit, m.body).ots).to.deep.equal([])
          }
          send(messages)
        },
        take: (names) => {
          expect(self).to.equal(2)
          wanted.push(...(names.get(1) ?? []).map(toHex))
          return new Map([[1, [held]]])
        },
      }),
    )
    expect(wanted).to.deep.equal([toHex(held.name)])
    expect(signed).to.have.length(1)
    expect(rounds.every((r) => r <= 4)).to.equal(true)
    for (const e of [one[0] as StockEntry, held]) expect((e.secret.buffer as ArrayBuffer).detached).to.equal(true)
  })

  it('correlate job: what nobody holds is made in the session', async () => {
    const [one] = await correlated(1, 'lost')
    const [signed] = await both('fallback', (self, id, send) =>
      pool.run(id, signJob(self, 1, one, true), seed(20 + self), { send, waiting }),
    )
    expect(signed).to.have.length(1)
  })

  it('correlate job: entries that come for a session that has ended are wiped in the worker', () => {
    const heard: FromWorker[] = []
    const sessions = new Sessions((m) => heard.push(m))
    const found = [entry(1), entry(2)]
    sessions.heard({ type: 'taken', id: 'gone', found: new Map([[1, found]]) })
    expect(found.every(isWiped)).to.equal(true)
    expect(heard).to.deep.equal([])
  })

  it('correlate job: a job that cannot begin leaves no secret behind', () => {
    const heard: FromWorker[] = []
    const sessions = new Sessions((m) => heard.push(m))
    const offered = [entry(1)]
    const sign = signJob(1, 9, offered, false)
    const correlate = correlateJob(1, 1)
    correlate.pair.secret.fill(7)
    const broken: readonly ToWorker[] = [
      { type: 'start', id: 'a', seed: seed(1), job: { ...sign, share: { ...sign.share, secret: new Uint8Array(5) } } },
      { type: 'start', id: 'b', seed: seed(1), job: { ...correlate, pair: { ...correlate.pair, public: Uint8Array.of(1) } } },
    ]
    for (const message of broken) sessions.heard(message)
    expect(heard.map((m) => m.type)).to.deep.equal(['failed', 'failed'])
    expect([...offered.map(isWiped), correlate.pair.secret.every((b) => b === 0)]).to.deep.equal([true, true])
  })
})

describe('correlate job in the pool', () => {
  let workers: { readonly events: WorkerEvents; readonly posted: ToWorker[] }[]
  let pool: SessionPool
  const begin = (size: number) => {
    workers = []
    const start: StartWorker = (events) => {
      const posted: ToWorker[] = []
      workers.push({ events, posted })
      return { post: (message) => void posted.push(message), terminate: async () => undefined }
    }
    pool = new SessionPool({ size, start })
  }
  const started = () => workers.map(({ posted }) => posted.flatMap((m) => (m.type === 'start' ? [m.id] : [])))
  const pair: OpenedRecord = { public: new Uint8Array(1), secret: new Uint8Array(1) }
  const correlate: CorrelateJob = { kind: 'correlate', self: 1, peer: 2, pair, nonce: tagged('n'), count: 1 }
  const run = (id: string, job = pairJob(1, 2, 'x') as CorrelateJob | ReturnType<typeof pairJob>) =>
    pool.run(id, job, seed(1), { ...deaf, take: () => new Map([[2, [entry(1)]]]) })

  it('correlate job: it starts no second worker, and until it has ended nothing else goes to its own while there is another', () => {
    begin(3)
    void run('a')
    void run('c', correlate)
    expect(started()).to.deep.equal([['a', 'c']])
    for (const id of ['b', 'd', 'e', 'f', 'h']) void run(id)
    expect(started()).to.deep.equal([
      ['a', 'c'],
      ['b', 'e', 'h'],
      ['d', 'f'],
    ])
    workers[0]?.events.heard({ type: 'done', id: 'c', result: [] })
    void run('g')
    expect(started()[0]).to.deep.equal(['a', 'c', 'g'])
    begin(1)
    void run('c', correlate)
    void run('a')
    expect(started()).to.deep.equal([['c', 'a']])
  })

  it('correlate job: entries of a session that was stopped meanwhile are wiped, and a stopped session takes none', async () => {
    begin(1)
    const failed = refusal(() => run('c', correlate))
    pool.stop('c', new ConclaveError('PEER_LOST', 'gone'))
    const made = [entry(1), entry(2)]
    const says = (m: FromWorker) => workers[0]?.events.heard(m)
    says({ type: 'take', id: 'c', names: new Map() })
    says({ type: 'done', id: 'c', result: made })
    expect(await failed).to.equal('PEER_LOST')
    expect(made.every(isWiped)).to.equal(true)
    expect(workers[0]?.posted.map((m) => m.type)).to.deep.equal(['start', 'abort'])
    const late = [entry(3)]
    says({ type: 'done', id: 'c', result: late })
    expect(late.every(isWiped)).to.equal(true)
  })

  it('correlate job: a session is given what it takes, and a worker that dies takes it along', async () => {
    begin(1)
    const failed = refusal(() => run('s'))
    workers[0]?.events.heard({ type: 'take', id: 's', names: new Map([[2, [entry(1).name]]]) })
    expect(workers[0]?.posted.map((m) => m.type)).to.deep.equal(['start', 'taken'])
    workers[0]?.events.exited(new Error('killed'))
    expect(await failed).to.equal('WORKER_DIED')
  })
})
