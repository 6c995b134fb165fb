import { randomBytes } from 'node:crypto'
import { fromHex, toHex } from '@conclave/core'
import { decodePayload } from '@conclave/policy'
import { until } from '@conclave/testnet'
import type { Signed, SignedItem } from '@conclave/wire'
import { expect } from 'chai'
import { type Rig, settled, useCluster } from '../rig/cluster.ts'
import { runConclave } from '../rig/command.ts'
import { createKey, expectValid, signOnce, transfer } from '../rig/signing.ts'

const POOL = { low: 2, high: 4 }
const BURST = 10
/** What a signer sends to one other: without the pool an OT and a VOLE message. */
const POOLED_BYTES_MAX = 4_000
const FULL_BYTES_MIN = 80_000

describe('correlation pool of real nodes', () => {
  const rig = useCluster({ pool: POOL })
  const keyId = 'pooled'
  let publicKey: string

  before(async () => {
    publicKey = await createKey(rig(), keyId)
  })

  const stocks = async ({ cluster, observer }: Rig): Promise<readonly number[]> => {
    const statuses = await Promise.all(cluster.names.map((name) => observer.status(name)))
    return statuses.flatMap((s) => s.pairs.map((p) => p.stock))
  }
  const isFilled = async () => (await stocks(rig())).every((count) => count > POOL.low)
  const filled = () => until(isFilled, { timeoutMs: 60_000, what: 'stocks that are filled' })

  /** One signature by these two, asked directly. @returns the bytes that each sent to the other. */
  async function bytesOf(signers: readonly number[]): Promise<readonly number[]> {
    const payload = fromHex(transfer().slice(2))
    const { digest } = decodePayload('evm.tx', payload)
    const answers: readonly Signed[] = await rig().observer.sign({
      requestId: Uint8Array.from(randomBytes(32)),
      keyId,
      payloads: [payload],
      signers,
    })
    for (const { items } of answers) expectValid(toHex((items[0] as SignedItem).signature), toHex(digest), publicKey)
    return answers.map((a) => a.bytesSent)
  }

  it('correlation pool: nodes fill it by themselves, and a signature then needs few bytes', async () => {
    await filled()
    for (const bytes of await bytesOf([1, 2])) expect(bytes).to.be.below(POOLED_BYTES_MAX)
    await signOnce(rig(), { keyId, publicKey })
  })

  it('correlation pool: a burst empties it, every signature comes, and it fills again', async () => {
    await filled()
    const burst = await Promise.all(Array.from({ length: BURST }, () => bytesOf([2, 3])))
    const pooled = burst.flat().filter((bytes) => bytes < POOLED_BYTES_MAX).length
    const full = burst.flat().filter((bytes) => bytes > FULL_BYTES_MIN).length
    expect(pooled).to.be.within(1, 2 * POOL.high)
    expect(pooled + full).to.equal(2 * BURST)
    await filled()
    for (const bytes of await bytesOf([2, 3])) expect(bytes).to.be.below(POOLED_BYTES_MAX)
  })

  it('correlation pool: a node that was killed has lost its stock, and the next signatures work', async () => {
    await filled()
    const { cluster, observer } = rig()
    const name = cluster.names[2] as string
    await cluster.kill(name)
    const isGone = async () => (await observer.status(cluster.names[0] as string)).pairs.find((p) => p.peer === 3)?.stock === 0
    await until(isGone, { timeoutMs: 60_000, what: 'no stock with a dead node' })
    await cluster.startNodes([name])
    await settled(rig())
    for (const signers of [
      [1, 3],
      [2, 3],
    ])
      await bytesOf(signers)
    await filled()
    for (const bytes of await bytesOf([2, 3])) expect(bytes).to.be.below(POOLED_BYTES_MAX)
  })

  it('correlation pool: its stock and counters are shown by the node and by the API', async () => {
    await filled()
    await bytesOf([1, 2])
    const { cluster } = rig()
    const { stdout } = await runConclave(['node', 'status', '--dir', cluster.dirOf(cluster.names[0] as string)])
    expect(stdout, stdout).to.match(/pair oslo: ready epoch \d+, \d+ correlations\n/)
    expect(stdout, stdout).to.match(/correlation pool: \d+ made in \d+ refills, \d+ used, \d+ missed, \d+ mismatched, \d+ dropped\n/)
    const shown = async () => {
      const status = (await cluster.client.nodes())[0]?.status
      return status !== null && status !== undefined && status.pool.used > 0 && status.pairs.every((p) => p.stock > POOL.low)
    }
    await until(shown, { timeoutMs: 60_000, what: 'the stock in the report at the coordinator' })
  })
})
