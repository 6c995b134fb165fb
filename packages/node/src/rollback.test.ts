import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { toHex } from '@conclave/core'
import { decode, SignCommit } from '@conclave/wire'
import { expect } from 'chai'
import { TestCluster } from './cluster.fixture.ts'
import {
  codeIn,
  expectSignature,
  newKey,
  pairStateOf,
  pairsReady,
  propose,
  sign,
  signTransfer,
  transfer,
  until,
} from './requests.fixture.ts'
import type { Change } from './store/store.ts'

describe('nonce reuse by rollback', () => {
  let cluster: TestCluster
  let publicKey: Uint8Array

  before(async () => {
    cluster = await TestCluster.create(3, 2)
    await cluster.start()
    publicKey = await newKey(cluster)
  })
  afterEach(() => cluster.tamper.clear())
  after(() => cluster.close())

  const path = (name: string) => join(cluster.dir, name)
  const kept = (name: string) => join(cluster.dir, `${name}-kept`)

  async function keep(names: readonly string[]): Promise<void> {
    for (const name of names) {
      await cluster.kill(name)
      await cp(path(name), kept(name), { recursive: true })
    }
    await cluster.start(names)
    await pairsReady(cluster)
  }

  /** Puts the kept databases back, as somebody with an old disk would. */
  async function restore(names: readonly string[]): Promise<void> {
    for (const name of names) {
      await cluster.kill(name)
      await rm(path(name), { recursive: true })
      await cp(kept(name), path(name), { recursive: true })
      await rm(kept(name), { recursive: true })
    }
    // The others end what they ran with those that died: said to their successors, it would stop the next session of that name.
    const others = cluster.names().filter((n) => !names.includes(n))
    await until('the others have let go', () => others.every((n) => cluster.pool(n).running === 0))
    await cluster.start(names)
    await pairsReady(cluster)
  }

  /** Every nonce commitment that a node sends. */
  function commitmentsOf(name: string): string[] {
    const seen: string[] = []
    cluster.tamper.set(name, (_to, body) => {
      if ('session' in body && body.session.round === 1) seen.push(...decode(SignCommit, body.session.body).commitments.map(toHex))
      return body
    })
    return seen
  }

  it('nonce reuse by rollback: a database restored in the middle of a session: the attempt is refused by the others and begun with another nonce', async () => {
    await propose(cluster, 1, [1, 2], transfer(1n))
    await keep(['n2'])
    const nonces = commitmentsOf('n2')
    cluster.tamper.set('n1', (_to, body) => ('session' in body && body.session.round === 3 ? undefined : body))
    const broken = sign(cluster, 1, [1, 2])
    await until('both are in the middle of it', () => nonces.length === 1 && cluster.pool('n1').running === 1)
    await restore(['n2'])
    cluster.tamper.delete('n1')
    // What n2 had been asked died with it.
    void broken
    const again = sign(cluster, 1, [1, 2])
    await until('n2 has begun once more', () => nonces.length === 2)
    const [n1, n2] = [cluster.member('n1'), cluster.member('n2')]
    cluster.hub.cut(n1, n2)
    // n1 does not take part; n2 waited for it.
    expect((await again).map(codeIn)).to.deep.equal(['ATTEMPT_SPENT', 'PEER_LOST'])
    cluster.hub.heal(n1, n2)
    await pairsReady(cluster)
    expect(new Set(nonces).size).to.equal(2)
    expect([await pairStateOf(cluster, 1, 2), await pairStateOf(cluster, 2, 1)]).to.deep.equal(['ready', 'ready'])
    expectSignature(await sign(cluster, 1, [1, 2], 1), publicKey)
  })

  it('nonce reuse by rollback: with the databases of all signers restored the same attempt has another nonce', async () => {
    await propose(cluster, 2, [1, 2], transfer(2n))
    await keep(['n1', 'n2'])
    const first = expectSignature(await sign(cluster, 2, [1, 2]), publicKey)
    await restore(['n1', 'n2'])
    const second = expectSignature(await sign(cluster, 2, [1, 2]), publicKey)
    // r is the nonce point's x.
    expect(second.slice(0, 64)).to.not.equal(first.slice(0, 64))
  })

  it('nonce reuse by rollback: a signing writes what it spends, the amounts and the attempt, and nothing else to the disk', async () => {
    const written: Change[] = []
    await cluster.kill('n3')
    await cluster.start(['n3'], {
      rig: (parts) => ({
        ...parts,
        store: new Proxy(parts.store, {
          get: (target, name) => {
            const bound = (Reflect.get(target, name, target) as typeof target.apply).bind(target)
            if (name !== 'apply') return bound
            return (...[changes]: Parameters<typeof target.apply>) => {
              written.push(...changes)
              return bound(changes)
            }
          },
        }),
      }),
    })
    await pairsReady(cluster)
    expectSignature(await signTransfer(cluster, 3, [1, 3]), publicKey)
    // What the policy says is kept once for receipts; that an epoch has signed is noted once.
    expect(written.map((c) => ('put' in c ? c.put : 'del'))).to.deep.equal(['opening', 'request', 'spend', 'request', 'key'])
  })
})
