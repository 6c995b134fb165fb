import type { MessagePort } from 'node:worker_threads'
import { type PartyId, tagged, utf8 } from '@conclave/core'
import { decode, KeyPublic } from '@conclave/wire'
import { expect } from 'chai'
import { refusal } from '../refusal.fixture.ts'
import { identity, SCOPE } from '../store/dkg.fixture.ts'
import type { DealJob, DealSource, FromWorker, OpenedRecord, ToWorker } from './job.ts'
import { deaf, seed } from './jobs.fixture.ts'
import { SessionPool } from './session-pool.ts'
import { serveSessions } from './worker.ts'

const copy = (r: OpenedRecord): OpenedRecord => ({ public: r.public, secret: Uint8Array.from(r.secret) })
type Shares = ReadonlyMap<PartyId, OpenedRecord>
const shareOf = (shares: Shares, j: PartyId): OpenedRecord => copy(shares.get(j) as OpenedRecord)

/** A dealing as a node asks for it. */
interface Asked {
  readonly parties: readonly PartyId[]
  readonly epoch: number
  readonly sourceOf: (self: PartyId) => DealSource
}
const CREATE: Asked = { parties: [1, 2], epoch: 0, sourceOf: () => ({ kind: 'create' }) }

const jobOf = ({ parties, epoch, sourceOf }: Asked, self: PartyId): DealJob => ({
  ...{ kind: 'deal', self, parties, threshold: 2, epoch, clusterContext: SCOPE.clusterContext, keyId: 'deal-job' },
  ...{ nonce: tagged('nonce', utf8(String(epoch))), identities: SCOPE.identities, dealing: sourceOf(self) },
})

describe('deal job', () => {
  let pool: SessionPool
  beforeEach(() => {
    pool = new SessionPool({ size: 1 })
  })
  afterEach(() => pool.close())

  /** Runs a dealing among `quorum`; the shares as they would be stored, and the result of each. */
  async function run(asked: Asked, quorum: readonly PartyId[]) {
    const shares = new Map<PartyId, OpenedRecord>()
    const results = await Promise.all(
      quorum.map((self) =>
        pool.run(`${asked.epoch}-${self}`, jobOf(asked, self), seed(10 * asked.epoch + self), {
          waiting: () => undefined,
          send: (messages) => {
            for (const m of messages)
              for (const to of m.to === 'all' ? quorum.filter((j) => j !== self) : [m.to])
                pool.receive(`${asked.epoch}-${to}`, self, m.round, m.body)
          },
          attest: (hash, share) => {
            shares.set(self, copy(share))
            return identity(self).sign(hash)
          },
        }),
      ),
    )
    return { shares, results }
  }
  const publicOf = (shares: Shares) => decode(KeyPublic, (shares.get(1) ?? (shares.get(3) as OpenedRecord)).public)

  it('deal job: a key is made, refreshed and handed to another committee, one dealer of which keeps no seat', async () => {
    const made = await run(CREATE, [1, 2])
    const previous = shareOf(made.shares, 1).public
    const refreshed = await run(
      { parties: [1, 2], epoch: 1, sourceOf: (j) => ({ kind: 'refresh', previous, share: shareOf(made.shares, j) }) },
      [1, 2],
    )
    const current = shareOf(refreshed.shares, 1).public
    const sourceOf = (j: PartyId): DealSource => ({
      ...{ kind: 'reshare', previous: current, dealers: [1, 2] },
      share: j === 3 ? undefined : shareOf(refreshed.shares, j),
    })
    const moved = await run({ parties: [1, 3], epoch: 2, sourceOf }, [1, 2, 3])
    const [first, second, third] = [publicOf(made.shares), publicOf(refreshed.shares), publicOf(moved.shares)]
    expect([second.publicKey, second.chainCode, third.publicKey, third.chainCode]).to.deep.equal([
      first.publicKey,
      first.chainCode,
      first.publicKey,
      first.chainCode,
    ])
    expect([first.epoch, second.epoch, third.epoch]).to.deep.equal([0, 1, 2])
    expect([...moved.shares.keys()].sort()).to.deep.equal([1, 3])
    for (const result of moved.results) expect(result.public).to.deep.equal(third)
  })

  it('deal job: the share that is dealt from leaves this thread', async () => {
    const { shares } = await run(CREATE, [1, 2])
    const previous = shareOf(shares, 1).public
    for (const kind of ['refresh', 'reshare'] as const) {
      const share = shareOf(shares, 1)
      const job = jobOf({ parties: [1, 2], epoch: 1, sourceOf: () => ({ kind, previous, share, dealers: [1, 2] }) }, 1)
      const stopped = refusal(() => pool.run(kind, job, seed(5), deaf))
      expect((share.secret.buffer as ArrayBuffer).detached).to.equal(true)
      await pool.close()
      expect(await stopped).to.equal('CLOSED')
      pool = new SessionPool({ size: 1 })
    }
  })

  it('deal job: a worker keeps nothing of the share it was given, whether the session can begin or not', async () => {
    const { shares } = await run(CREATE, [1, 2])
    const previous = shareOf(shares, 1).public
    for (const [j, said] of [
      [1, 'send,waiting'],
      [2, 'failed'],
    ] as const) {
      const share = shareOf(shares, j)
      let hear: ((m: ToWorker) => void) | undefined
      const heard: string[] = []
      const port = { on: (_: string, listener: typeof hear) => (hear = listener), postMessage: (m: FromWorker) => heard.push(m.type) }
      serveSessions(port as unknown as MessagePort)
      const job = jobOf({ parties: [1, 2], epoch: 1, sourceOf: () => ({ kind: 'refresh', previous, share }) }, 1)
      hear?.({ type: 'start', id: 's', job, seed: seed(5) })
      expect(heard.join()).to.equal(said)
      expect(share.secret.every((b) => b === 0)).to.equal(true)
    }
  })

  it('deal job: a share or a key that cannot be read fails the session before anything is sent', async () => {
    const { shares } = await run(CREATE, [1, 2])
    const share = shareOf(shares, 1)
    const sent: unknown[] = []
    const silent = { ...deaf, send: (m: unknown) => void sent.push(m) }
    const refusalOf = (source: DealSource) =>
      refusal(() => pool.run('bad', jobOf({ parties: [1, 2], epoch: 1, sourceOf: () => source }, 1), seed(5), silent))
    const junk = new Uint8Array(8)
    expect(await refusalOf({ kind: 'refresh', previous: junk, share: copy(share) })).to.equal('WIRE_DECODE')
    expect(await refusalOf({ kind: 'refresh', previous: share.public, share: { ...share, secret: new Uint8Array(64) } })).to.equal(
      'BAD_KEY',
    )
    expect(await refusalOf({ kind: 'refresh', previous: share.public, share: shareOf(shares, 2) })).to.equal('BAD_KEY')
    expect(await refusalOf({ kind: 'reshare', previous: share.public, dealers: [1, 2] })).to.equal('BAD_RESHARE')
    expect(sent).to.deep.equal([])
  })
})
