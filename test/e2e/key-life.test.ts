import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Erasure } from '@conclave/core/erasure'
import type { AdminHsms } from '@conclave/node'
import { until } from '@conclave/testnet'
import { expect } from 'chai'
import { settled, useCluster } from '../rig/cluster.ts'
import { expectRefused, runConclave } from '../rig/command.ts'
import { logsOf } from '../rig/health.ts'
import { createKey, expectSigned, payload, signOnce, signWith } from '../rig/signing.ts'

describe('life of a key, at the command line', () => {
  const rig = useCluster()
  let key: { keyId: string; publicKey: string }

  before(async () => {
    key = { keyId: 'vault', publicKey: await createKey(rig(), 'vault') }
  })

  const dir = (name = 'zurich') => rig().cluster.dirOf(name)
  const act = (command: string, ...args: readonly string[]) => actAt('zurich', command, ...args)
  const actAt = (name: string, command: string, ...args: readonly string[]) =>
    runConclave(['node', 'key', command, '--dir', dir(name), '--key', 'vault', '--reason', 'ticket 4711, Ida', ...args])
  const status = async () => (await runConclave(['node', 'status', '--dir', dir()])).stdout
  const shown = () => rig().cluster.client.key('vault')

  it('node key suspend, activate: the others sign meanwhile, and everybody sees it', async () => {
    expect((await act('suspend')).stdout).to.equal('key vault: suspended at this node\n')
    expect(await status()).to.match(/^key vault: suspended, epoch 0/m)
    const { requestId } = await rig().cluster.client.requestSignature({ keyId: 'vault', payload: payload() })
    const request = await rig().cluster.client.settled(requestId)
    expectSigned(request, key.publicKey)
    expect(request.signers).to.deep.equal([2, 3])
    await until(async () => (await shown()).phases.length === 1, { timeoutMs: 30_000, what: 'the phase at the coordinator' })
    expect((await shown()).phases).to.deep.equal([{ node: 1, phase: 'suspended' }])
    expect((await act('activate', '--json')).stdout).to.match(/^\{"keyId":"vault","phase":"active","since":"2\d{3}-/)
    await signWith(rig(), key, [1, 2])
    const events = (await logsOf(dir())).join('')
    for (const kind of ['key.provisioned', 'key.suspended', 'key.activated']) expect(events).to.include(`"event":"${kind}"`)
  })

  it('node key destroy: only an archived key, only by its name once more; then it is gone for good, and the record verifies offline', async () => {
    expectRefused(await act('destroy', '--yes', 'vault'), 'KEY_PHASE')
    expect((await act('archive')).stdout).to.equal('key vault: archived at this node\n')
    expectRefused(await act('activate'), 'KEY_PHASE')
    expectRefused(await act('destroy', '--yes', 'vaults'), 'NOT_CONFIRMED')
    const { stdout, exitCode } = await act('destroy', '--yes', 'vault', '--json')
    expect(exitCode).to.equal(0)
    const erasure = JSON.parse(stdout) as Erasure
    expect(erasure).to.deep.include({ node: 'zurich', keyId: 'vault', publicKey: key.publicKey, epochs: [0] })
    expect(erasure.kek).to.deep.equal({ destroyed: 1, hsms: ['primary'], without: [] })
    const hsms = JSON.parse((await runConclave(['hsm', 'status', '--dir', dir(), '--json'])).stdout) as AdminHsms
    expect(hsms.hsms.map((h) => h.kek?.generations)).to.deep.equal([[2]])

    const lock = join(rig().cluster.dir, 'cluster.lock.json')
    const file = join(rig().cluster.dir, 'erasures.json')
    const listed = await runConclave(['node', 'key', 'erasures', '--dir', dir(), '--json'])
    expect(JSON.parse(listed.stdout)).to.deep.equal([erasure])
    const verify = () => runConclave(['node', 'key', 'erasure', 'verify', '--file', file, '--lock', lock])
    await writeFile(file, listed.stdout)
    expect((await verify()).stdout).to.match(
      /a backup that was made before may still hold the share\nsigned by zurich with its identity in the cluster lock\n$/,
    )
    await writeFile(file, JSON.stringify({ ...erasure, epochs: [0, 1] }))
    expectRefused(await verify(), 'ERASURE_FORGED')
    await writeFile(file, '[]')
    expectRefused(await verify(), 'BAD_ERASURE')
    expect(await status()).to.match(/^key vault: destroyed$/m)
  })

  it('node key destroy: the cluster goes on signing with who is left, and says when too few shares can exist', async () => {
    await signOnce(rig(), key)
    await until(async () => (await shown()).erasure !== null, { timeoutMs: 30_000, what: 'the erasure at the coordinator' })
    expect((await shown()).erasure).to.deep.equal({ erasedBy: [1], sharesLeftMax: 2, belowThreshold: false })
    await rig().cluster.stopOne('zurich')
    await rig().cluster.startNodes(['zurich'])
    await settled(rig())
    expect(await status()).to.match(/^key vault: destroyed$/m)
    expect((await actAt('oslo', 'archive')).exitCode).to.equal(0)
    expect((await actAt('oslo', 'destroy', '--yes', 'vault')).exitCode).to.equal(0)
    await until(async () => (await shown()).erasure?.belowThreshold === true, { timeoutMs: 30_000, what: 'the second erasure' })
    expect((await shown()).erasure).to.deep.equal({ erasedBy: [1, 2], sharesLeftMax: 1, belowThreshold: true })
    expect((await shown()).phases.map((p) => p.phase)).to.deep.equal(['destroyed', 'destroyed'])
  })
})
