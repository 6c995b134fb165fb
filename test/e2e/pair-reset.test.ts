import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { AdminStatus } from '@conclave/node'
import { expect } from 'chai'
import { settled, useSharedCluster } from '../rig/cluster.ts'
import { expectRefused, runConclave } from '../rig/command.ts'
import { logsOf } from '../rig/health.ts'
import { createKey, signWith } from '../rig/signing.ts'

describe('operator at the admin socket', () => {
  const rig = useSharedCluster()

  const dirOf = (name: string) => rig().cluster.dirOf(name)
  const status = (name: string, ...more: readonly string[]) => runConclave(['node', 'status', '--dir', dirOf(name), ...more])
  const reset = (name: string, peer: string, reason: string) =>
    runConclave(['node', 'pair', 'reset', '--dir', dirOf(name), '--peer', peer, '--reason', reason])
  const statusOf = async (name: string): Promise<AdminStatus> => JSON.parse((await status(name, '--json')).stdout)
  const epochAt = async (name: string, peer: string) => (await statusOf(name)).pairs.find((p) => p.peer === peer)?.pairEpoch

  it('node status: for people, and as JSON; the socket is for the node user only', async () => {
    const { exitCode, stdout, stderr } = await status('zurich')
    expect([exitCode, stderr]).to.deep.equal([0, ''])
    expect(stdout).to.match(
      /^node zurich \(1\), version \S+\ncluster lock [0-9a-f]{64}, version 1\nhsm primary: up since \S+, [0-9.]+ ms\n/,
    )
    expect(stdout).to.match(/^pair oslo: ready epoch \d+, 0 correlations$/m)
    const { name, index, pairs } = await statusOf('oslo')
    expect([name, index, pairs.map((p) => p.peer)]).to.deep.equal(['oslo', 2, ['zurich', 'lisbon']])
    expect((await lstat(join(dirOf('zurich'), 'admin.sock'))).mode & 0o777).to.equal(0o600)
  })

  it('pair reset: the pair comes back under a higher epoch at both ends, signs, and the log says who wanted it', async () => {
    const key = { keyId: 'after-reset', publicKey: await createKey(rig(), 'after-reset') }
    const before = (await epochAt('zurich', 'oslo')) ?? 0
    const { exitCode, stdout } = await reset('oslo', 'zurich', 'disk of zurich replaced, Ida')
    expect(exitCode).to.equal(0)
    expect(stdout).to.match(/^pair zurich: missing\n/)
    await settled(rig())
    expect([await epochAt('zurich', 'oslo'), await epochAt('oslo', 'zurich')]).to.deep.equal([before + 1, before + 1])
    await signWith(rig(), key, [1, 2])
    const lines = (await logsOf(dirOf('oslo'))).join('').split('\n')
    expect(lines.filter((l) => l.includes('"event":"pair.reset"') && l.includes('disk of zurich replaced, Ida'))).to.have.length(1)
  })

  it('pair reset: an unknown peer, no reason and a node that does not run are refused in one line', async () => {
    expectRefused(await reset('oslo', 'berlin', 'x'), 'UNKNOWN_PEER', /berlin/)
    expectRefused(await reset('oslo', 'oslo', 'x'), 'UNKNOWN_PEER')
    expectRefused(await reset('oslo', 'zurich', ' '), 'BAD_BODY', /reason/)
    const { cluster } = rig()
    await cluster.kill('lisbon')
    try {
      expectRefused(await status('lisbon'), 'NODE_NOT_RUNNING', /admin\.sock/)
      expectRefused(await reset('lisbon', 'oslo', 'x'), 'NODE_NOT_RUNNING')
    } finally {
      await cluster.startNodes(['lisbon'])
      await settled(rig())
    }
    expect((await status('lisbon')).exitCode).to.equal(0)
  })

  it('nodes: the API says of each that it is able, and why one that is down is not', async () => {
    const { cluster } = rig()
    const { client } = cluster
    expect((await client.nodes()).map((n) => n.availability.able)).to.deep.equal([true, true, true])
    await cluster.kill('lisbon')
    try {
      await cluster.linked(['zurich', 'oslo'])
      expect((await client.node(3)).availability.reasons.map((r) => r.code)).to.deep.equal(['LINK_DOWN'])
      expect((await client.node(1)).availability).to.deep.equal({ able: true, reasons: [] })
    } finally {
      await cluster.startNodes(['lisbon'])
      await settled(rig())
    }
  })
})
