import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { approveLock, type ClusterLock, formatKey, formatLock, lockHash, parseLock, signLock, tagged, toHex, utf8 } from '@conclave/core'
import { peerIdOf, softIdentity } from '@conclave/transport'
import { expect } from 'chai'
import { expectRefused, runConclave } from '../rig/command.ts'

const signerOf = (name: string) => softIdentity(tagged('cluster-next', utf8(name)))
const keysOf = (name: string) => ({ identity: signerOf(name).key, checkpointKeys: [signerOf(`${name}/checkpoint`).key] })
const memberOf = (name: string) => ({ name, peerId: peerIdOf(signerOf(name).key), addresses: ['/ip4/127.0.0.1/tcp/9'] })

describe('conclave cluster next', () => {
  let dir: string
  const at = (file: string) => join(dir, file)
  const read = async (file: string) => parseLock(JSON.parse(await readFile(at(file), 'utf8')))
  const run = (command: string, ...args: string[]) => runConclave(['cluster', command, ...args])
  const verify = (file: string) => run('verify', '--lock', at(file), '--previous', at('present.json'))

  /** What the operators' HSMs do. */
  async function signAll(lock: ClusterLock): Promise<ClusterLock> {
    let out = lock
    for (const { name } of lock.nodes) out = await signLock(out, signerOf(name))
    return out
  }

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'conclave-next-'))
    const names = ['zurich', 'oslo', 'lisbon']
    const present = await signAll({
      version: 1,
      clusterId: toHex(tagged('cluster-next')),
      previous: '',
      quorum: { required: 2, of: 3 },
      nodes: names.map((name, i) => ({ kind: 'node', index: i + 1, ...memberOf(name), ...keysOf(name) })),
      coordinators: [{ kind: 'coordinator', ...memberOf('hub') }],
      signatures: new Map(),
      approvals: new Map(),
    })
    await writeFile(at('present.json'), formatLock(present))
    for (const name of ['vienna', 'dublin']) {
      const { identity, checkpointKeys } = keysOf(name)
      const keys = { identity: formatKey(identity), checkpointKeys: checkpointKeys.map(formatKey) }
      const card = { kind: 'node', ...memberOf(name), ...keys }
      await writeFile(at(`${name}.json`), JSON.stringify(card))
    }
  })
  after(() => rm(dir, { recursive: true, force: true }))

  it('cluster next: drafts a successor with replaced, added and removed members, which show and verify describe', async () => {
    const change = ['--replace', `oslo=${at('vienna.json')}`, '--add', at('dublin.json'), '--remove', 'hub', '--required', '3']
    const drafted = await run('next', '--lock', at('present.json'), '--out', at('next.json'), ...change)
    expect([drafted.exitCode, drafted.stderr]).to.deep.equal([0, ''])
    expect(drafted.stdout).to.include('version 2, 3 of 4, to be signed by zurich, vienna, lisbon, dublin')
    const [present, next] = [await read('present.json'), await read('next.json')]
    expect(next).to.deep.include({ version: 2, previous: toHex(lockHash(present)), coordinators: [] })

    expectRefused(await verify('next.json'), 'LOCK_UNAPPROVED', /0 of 2 approvals; not approved by zurich, oslo, lisbon/)
    let approved = next
    for (const name of ['oslo', 'zurich']) approved = await approveLock(present, approved, signerOf(name))
    await writeFile(at('next.json'), formatLock(approved))
    expectRefused(await verify('next.json'), 'LOCK_UNSIGNED', /vienna/)
    await writeFile(at('next.json'), formatLock(await signAll(approved)))
    const verified = await verify('next.json')
    expect([verified.exitCode, verified.stderr]).to.deep.equal([0, ''])
    const shown = await run('show', '--lock', at('next.json'))
    expect(shown.stdout).to.equal(verified.stdout)
    expect(shown.stdout).to.match(
      /lock version 2, hash [0-9a-f]{64}\nfollows version 1 with hash [0-9a-f]{64}\napproved by nodes 1, 2 of version 1\n/,
    )
  })

  it('cluster next: what cannot follow is refused by code, and wrong usage exits with 2', async () => {
    const next = (...change: string[]) => run('next', '--lock', at('present.json'), '--out', at('odd.json'), ...change)
    expectRefused(await next('--remove', 'oslo', 'zurich'), 'BAD_LOCK')
    expectRefused(await next('--remove', 'nobody'), 'BAD_LOCK_CHANGE', /nobody/)
    for (const bad of ['oslo', 'oslo=', '=card.json']) expect((await next('--replace', bad)).exitCode, bad).to.equal(2)
  })
})
