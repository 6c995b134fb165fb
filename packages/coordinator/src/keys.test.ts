import { toHex } from '@conclave/core'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'chai'
import { STATUS_INTERVAL_MS } from './cluster-view.ts'
import { FAILURE_GRACE_MS } from './key-creation.ts'
import { LINKS_GRACE_MS } from './key-driver.ts'
import type { KeyBody, OperationBody } from './key-schemas.ts'
import type { NodeBody } from './node-schemas.ts'
import { failure, type ResponseBody } from './testing/fake-node.ts'
import { eventually, Harness, type ProblemAnswer } from './testing/harness.ts'

const fresh = () => Harness.start({}, { withKey: false })

async function create(h: Harness, body: unknown = { keyId: 'main' }): Promise<string> {
  const answer = await h.post<{ operationId: string }>('/v1/keys', body)
  expect(answer.status, JSON.stringify(answer.body)).equal(202)
  return answer.body.operationId
}

/** The operation's error once it has failed. */
async function failureOf(
  h: Harness,
  operationId: string,
): Promise<ProblemAnswer & { nodeVerdicts?: readonly { node: number; code: string }[] }> {
  const { state, error } = await h.operationEnded(operationId)
  expect(state).equal('failed')
  return error as ProblemAnswer
}

describe('key creation', () => {
  it('all nodes answer the same key: the operation succeeds and the key is listed', async () => {
    await using h = await fresh()
    const operation = await h.operationEnded(await create(h))
    expect(operation).include({ state: 'succeeded', kind: 'key.create', keyId: 'main', error: null })
    const { body } = await h.get<KeyBody>('/v1/keys/main')
    expect(body).deep.equal(operation.result)
    expect(body).deep.include({ threshold: 3, parties: [1, 2, 3, 4, 5], epoch: 0, state: 'active' })
    const secret = h.cluster.world.keys.get('main')?.secret as Uint8Array
    expect(body.publicKey).equal(toHex(secp256k1.getPublicKey(secret)))
    expect(body.address).match(/^0x[0-9a-fA-F]{40}$/)
    expect((await h.get<{ items: KeyBody[] }>('/v1/keys')).body.items).deep.equal([body])
  })

  it('every creation has a nonce of its own, and the quorum that was asked for', async () => {
    await using h = await fresh()
    const nonces: string[] = []
    h.cluster.node(1).intercept = (request, honest) => {
      if ('createKey' in request) nonces.push(`${toHex(request.createKey.nonce)}/${request.createKey.threshold}`)
      return honest()
    }
    await h.operationEnded(await create(h, { keyId: 'a' }))
    await h.operationEnded(await create(h, { keyId: 'b', quorum: { required: 4, of: 5 } }))
    expect(new Set(nonces).size).equal(2)
    expect(nonces.map((n) => n.split('/')[1])).deep.equal(['3', '4'])
    expect((await h.get<KeyBody>('/v1/keys/b')).body.threshold).equal(4)
  })

  it('NODES_UNREACHABLE names the nodes that are down, and nothing is sent', async () => {
    await using h = await fresh()
    h.clock.advance(LINKS_GRACE_MS)
    h.cluster.node(2).kill()
    h.cluster.node(4).kill()
    await eventually(async () => (await h.get<{ nodesUp: number }>('/readyz')).body.nodesUp === 3)
    const error = await failureOf(h, await create(h))
    expect(error).include({ code: 'NODES_UNREACHABLE', retriable: true })
    expect(error.detail).contain('oslo, tokyo')
    expect(h.cluster.world.keys.size).equal(0)
    await h.cluster.node(2).start()
    await h.cluster.node(4).start()
    expect((await h.operationEnded(await create(h))).state).equal('succeeded')
  })

  it('right after the start a missing node is waited for', async () => {
    await using h = await Harness.prepare()
    h.cluster.node(5).kill()
    await h.run()
    const operationId = await create(h)
    await eventually(async () => (await h.get<{ state: string }>(`/v1/operations/${operationId}`)).body.state === 'running')
    await h.cluster.node(5).start()
    expect((await h.operationEnded(operationId)).state).equal('succeeded')
  })

  it('KEY_CREATION_FAILED carries every failing node and its code', async () => {
    await using h = await fresh()
    h.cluster.node(3).intercept = async (request, honest) =>
      'createKey' in request ? failure('VAULT_LOCKED', { retriable: false }) : await honest()
    const operationId = await create(h)
    // The others wait for node 3 and are given a moment to say so.
    await h.passing(FAILURE_GRACE_MS, async () => (await h.get<OperationBody>(`/v1/operations/${operationId}`)).body.endedAt !== null)
    const error = await failureOf(h, operationId)
    expect(error).include({ code: 'KEY_CREATION_FAILED', retriable: false })
    expect(error.detail).contain('madrid: VAULT_LOCKED').contain('zurich: NODE_TIMEOUT')
    expect(error.nodeVerdicts?.find((v) => v.node === 3)).include({ code: 'VAULT_LOCKED' })
    expect((await h.get('/v1/keys/main')).status).equal(404)
  })

  it('a node that dies meanwhile ends the operation at once, retriable', async () => {
    await using h = await fresh()
    h.cluster.node(3).intercept = async (request, honest) => {
      if (!('createKey' in request)) return await honest()
      setImmediate(() => h.cluster.node(3).kill())
      return undefined
    }
    const error = await failureOf(h, await create(h))
    expect(error).include({ code: 'KEY_CREATION_FAILED', retriable: true })
    expect(error.detail).contain('madrid: LINK_DOWN').contain('zurich: SESSION_ABORTED')
  })

  const lies: readonly [string, (k: Extract<ResponseBody, { keyCreated: unknown }>['keyCreated']) => object][] = [
    ['public key', () => ({ publicKey: secp256k1.getPublicKey(new Uint8Array(32).fill(9)) })],
    ['chain code', (k) => ({ chainCode: k.chainCode.with(0, (k.chainCode[0] as number) ^ 1) })],
    ['epoch', () => ({ epoch: 1 })],
    ['key id', () => ({ keyId: 'other' })],
  ]
  for (const [what, lie] of lies) {
    it(`KEY_MISMATCH: one node answers another ${what}`, async () => {
      await using h = await fresh()
      h.cluster.node(4).intercept = async (_, honest) => {
        const answer = await honest()
        return 'keyCreated' in answer ? { keyCreated: { ...answer.keyCreated, ...lie(answer.keyCreated) } } : answer
      }
      expect(await failureOf(h, await create(h))).include({ code: 'KEY_MISMATCH', retriable: false })
    })
  }

  it('a key whose creation ended badly appears when enough nodes report it', async () => {
    await using h = await fresh()
    h.cluster.node(3).intercept = async (request, honest) => {
      const answer = await honest()
      if (!('createKey' in request)) return answer
      // The key is complete everywhere, and this node dies before it can say so.
      setImmediate(() => h.cluster.node(3).kill())
      return undefined
    }
    expect(await failureOf(h, await create(h))).include({ code: 'KEY_CREATION_FAILED' })
    await eventually(async () => (await h.get('/v1/keys/main')).status === 200)
    expect((await h.post<ProblemAnswer>('/v1/keys', { keyId: 'main' })).body.code).equal('KEY_EXISTS')
    expect((await h.ended(await h.request())).state).equal('signed')
  })

  it('the same key id is created once at a time', async () => {
    await using h = await fresh()
    const held = Promise.withResolvers<void>()
    h.cluster.node(1).intercept = async (request, honest) => {
      if ('createKey' in request) await held.promise
      return await honest()
    }
    const operationId = await create(h)
    expect((await h.post<ProblemAnswer>('/v1/keys', { keyId: 'main' })).body.code).equal('KEY_BEING_CREATED')
    held.resolve()
    expect((await h.operationEnded(operationId)).state).equal('succeeded')
  })

  it('a known key keeps its public key whatever the nodes report later', async () => {
    await using h = await Harness.start()
    const { publicKey } = (await h.get<KeyBody>('/v1/keys/main')).body
    const key = h.cluster.world.keys.get('main')
    h.cluster.world.keys.set('main', { ...(key as NonNullable<typeof key>), secret: new Uint8Array(32).fill(9) })
    h.clock.advance(5000)
    await eventually(() => h.log.some((line) => line.includes('another public key')))
    expect((await h.get<KeyBody>('/v1/keys/main')).body.publicKey).equal(publicKey)
  })

  it('keys are known after a restart while every node is down', async () => {
    await using h = await Harness.start()
    for (const node of h.cluster.nodes) node.kill()
    await h.crashAndRestart()
    expect((await h.get<KeyBody>('/v1/keys/main')).status).equal(200)
  })

  it('key: each node says which epoch its last backup is of, on the key and on the node; who has none, or is silent, is null', async () => {
    await using h = await Harness.start()
    const backups = async () => (await h.get<KeyBody>('/v1/keys/main')).body.backups
    expect(await backups()).deep.equal([1, 2, 3, 4, 5].map((node) => ({ node, lastBackupEpoch: null })))
    h.cluster.node(2).backups.set('main', 0)
    h.cluster.node(3).backups.set('main', 7)
    h.cluster.node(4).backups.set('other', 1)
    h.clock.advance(STATUS_INTERVAL_MS)
    await eventually(async () => (await backups())[2]?.lastBackupEpoch === 7 && (await backups())[1]?.lastBackupEpoch === 0)
    expect((await backups()).map((b) => b.lastBackupEpoch)).deep.equal([null, 0, 7, null, null])
    expect((await h.get<{ items: KeyBody[] }>('/v1/keys')).body.items[0]?.backups).deep.equal(await backups())
    const nodes = (await h.get<{ items: NodeBody[] }>('/v1/nodes')).body.items
    expect(nodes.map((n) => n.status?.keys[0]?.lastBackupEpoch)).deep.equal([null, 0, 7, null, null])
  })
})
