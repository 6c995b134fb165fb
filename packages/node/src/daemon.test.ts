import { appendFile, copyFile, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lockHash, tagged, toHex } from '@conclave/core'
import { libp2pTransport, peerIdOf, softIdentity, type Transport } from '@conclave/transport'
import { softHsmModule } from '@conclave/vault'
import { decode, encode, Frame, type Request, type Response } from '@conclave/wire'
import { expect } from 'chai'
import { ALLOWED } from './cluster.fixture.ts'
import { type RunningNode, readLock, startNode } from './daemon.ts'
import { initNode, SETTINGS_FILE } from './init.ts'
import { draftLock, draftNextLock, signLockFile } from './lock-ceremony.ts'
import { readPolicyStatus, submitPolicy } from './policies/ask-policy.ts'
import { AUTHORS, signedPolicy } from './policies/authors.fixture.ts'
import { refusal } from './refusal.fixture.ts'
import { createdIn, expectSignature, proposal, requestId, transfer, until, verdictIn } from './requests.fixture.ts'
import { sealedFiles } from './sealed-files.ts'
import { readSettings } from './settings.ts'

const NAMES = ['n1', 'n2'] as const
const POLICY = `version: 1
sequence: 2
rules:
  - name: pay
    effect: allow
    when: { chains: [31337], destinations: ['${ALLOWED}'], amountMaxWei: '1000', feeMaxWei: '1000000000000000000' }
`

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

const missing = softHsmModule() === undefined ? ' (skipped: SoftHSM2 is not installed)' : ''

;(missing === '' ? describe : describe.skip)(`daemon over SoftHSM and libp2p${missing}`, () => {
  let root: string
  const running: RunningNode[] = []
  const dirOf = (name: string) => join(root, name)
  const settingsOf = (name: string) => join(dirOf(name), SETTINGS_FILE)
  const coordinator = softIdentity(tagged('daemon-coordinator'))

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'conclave-daemon-'))
    const cardFiles: string[] = []
    for (const name of NAMES) {
      const listen = [`/ip4/127.0.0.1/tcp/${await freePort()}`]
      await initNode({ dir: dirOf(name), name, listen, keyType: name === 'n2' ? 'p256' : undefined })
      cardFiles.push(join(dirOf(name), 'card.json'))
      await writeFile(join(dirOf(name), 'policy.yaml'), POLICY)
      await appendFile(settingsOf(name), 'log: { level: error }\n')
    }
    const card = join(root, 'c1.json')
    await writeFile(card, JSON.stringify({ kind: 'coordinator', name: 'c1', peerId: peerIdOf(coordinator.key), addresses: [] }))
    const out = join(root, 'cluster.lock.json')
    const hash = toHex(lockHash(await draftLock({ cardFiles: [...cardFiles, card], required: 2, out })))
    expect(await refusal(() => readLock(out))).to.equal('LOCK_UNSIGNED')
    for (const name of NAMES) await signLockFile({ dir: dirOf(name), lockFile: out, hash })
    for (const name of NAMES) await copyFile(out, join(dirOf(name), 'cluster.lock.json'))
  })
  after(async () => {
    for (const node of running) await node.stop()
    await rm(root, { recursive: true, force: true })
  })

  it('daemon: init makes private files, says nothing secret in the card, and refuses to run twice', async () => {
    for (const file of ['pin', 'so-pin', 'store.key', SETTINGS_FILE]) {
      expect((await stat(join(dirOf('n1'), file))).mode & 0o077, file).to.equal(0)
    }
    const before = await readFile(settingsOf('n1'), 'utf8')
    expect(before).to.not.include((await readFile(join(dirOf('n1'), 'pin'), 'utf8')).trim())
    expect(await refusal(() => initNode({ dir: dirOf('n1'), name: 'n1', listen: ['/ip4/127.0.0.1/tcp/1'] }))).to.equal(
      'ALREADY_INITIALISED',
    )
    expect(await readFile(settingsOf('n1'), 'utf8')).to.equal(before)
  })

  it('daemon: init refuses what a broken-off ceremony left, a bad name, a bad address and a directory that cannot be made', async () => {
    const listen = ['/ip4/127.0.0.1/tcp/1']
    const dir = await mkdtemp(join(root, 'half-'))
    await writeFile(join(dir, 'so-pin'), 'x', { mode: 0o600 })
    expect(await refusal(() => initNode({ dir, name: 'half', listen }))).to.equal('INIT_INCOMPLETE')
    expect(await refusal(() => initNode({ dir: join(root, 'x'), name: 'Bad Name', listen }))).to.equal('BAD_SETTINGS')
    expect(await refusal(() => initNode({ dir: join(root, 'x'), name: 'x', listen: ['127.0.0.1:1'] }))).to.equal('BAD_SETTINGS')
    expect(await refusal(() => initNode({ dir: join(root, 'c1.json', 'x'), name: 'x', listen }))).to.equal('INIT_FAILED')
    const hsm = { module: join(root, 'no-module.so'), token: 't', pinFile: join(dir, 'so-pin') }
    expect(await refusal(() => initNode({ dir: join(root, 'y'), name: 'y', listen, hsm }))).to.equal('MODULE_MISSING')
  })

  it('daemon: a start that cannot be says why, by code', async () => {
    const settings = await readFile(settingsOf('n1'), 'utf8')
    const change = async (what: string, from: string | RegExp, to: string): Promise<string> => {
      const file = join(dirOf('n1'), `${what}.yaml`)
      const text = settings.replace(from, to)
      expect(text, what).to.not.equal(settings)
      await writeFile(file, text)
      return refusal(() => startNode(file))
    }
    await writeFile(join(dirOf('n1'), 'wrong-pin'), 'wrong\n', { mode: 0o600 })
    expect(await change('wrong-pin', /file: .*\/pin\n/, 'file: wrong-pin\n')).to.equal('PIN_INCORRECT')
    expect(await change('no-module', /module: .*\n/, 'module: /nowhere/module.so\n')).to.equal('MODULE_MISSING')
    expect(await change('no-lock', 'cluster.lock.json', 'no.lock.json')).to.equal('LOCK_UNREADABLE')
    expect(await change('no-policy', 'policy.yaml', 'missing-policy.yaml')).to.equal('POLICY_UNREADABLE')
    const overlaid = (file: string) => change(file, 'file: policy.yaml', `file: policy.yaml\n  overlay: ${file}`)
    expect(await overlaid('missing-overlay')).to.equal('POLICY_UNREADABLE')
    await writeFile(
      join(dirOf('n1'), 'per-rule'),
      POLICY.replace('amountMaxWei', 'limits: [{ window: 1h, per: rule, countMax: 1 }], amountMaxWei'),
    )
    expect(await overlaid('per-rule')).to.equal('BAD_OVERLAY')
    expect(await change('no-store', 'path: store', 'path: no-store')).to.equal('STORE_MISSING')
    expect(await change('name-of-another', 'name: n1', 'name: n2')).to.equal('WRONG_IDENTITY')
    // Another name does not open this node's MAC key.
    expect(await change('other-name', 'name: n1', 'name: n9')).to.equal('TAMPER')
    expect(await refusal(() => startNode(join(root, 'nothing.yaml')))).to.equal('SETTINGS_UNREADABLE')
    const [peerKey, storeKey] = [join(dirOf('n2'), 'peer.key'), join(dirOf('n2'), 'store.key')]
    await rename(peerKey, `${peerKey}.away`)
    expect(await refusal(() => startNode(settingsOf('n2')))).to.equal('PEER_KEY_MISSING')
    // A record of the same node and HSM, for another use.
    await copyFile(storeKey, peerKey)
    expect(await refusal(() => startNode(settingsOf('n2')))).to.equal('TAMPER')
    await rename(`${peerKey}.away`, peerKey)
  })

  it('daemon: every sealed file of a node is on its list, so that a rewrap and a destruction go by all of them', async () => {
    const listed = async (name: string) => {
      const records = await Promise.all(sealedFiles(readSettings(settingsOf(name))).map((shelf) => shelf.records()))
      return records.flat().map((r) => r.name)
    }
    expect([await listed('n1'), await listed('n2')]).to.deep.equal([['store.key'], ['store.key', 'peer.key']])
  })

  it('daemon: two nodes with their keys in HSMs, one of them P-256, make a key and sign over libp2p, stop, and sign again', async () => {
    for (const name of NAMES) running.push(await startNode(settingsOf(name)))
    expect(await refusal(() => startNode(settingsOf('n1')))).to.equal('STORE_LOCKED')
    const client = await connect(join(root, 'cluster.lock.json'), coordinator)
    try {
      const created = await client.askBoth({ createKey: { keyId: 'k', nonce: tagged('n'), threshold: 2, parties: [1, 2] } })
      const { publicKey } = createdIn(created[0] as Response['body'])
      const signAs = async (attempt: number) => {
        const propose = proposal(1, transfer(7n), { keyId: 'k' })
        for (const body of await client.askBoth({ propose })) expect(verdictIn(body).code).to.equal('ALLOWED')
        return client.askBoth({ sign: { requestId: requestId(1), attempt, signers: [1, 2], epoch: 0 } })
      }
      expectSignature(await signAs(0), publicKey)
      for (const node of running.splice(0)) await node.stop()
      for (const name of NAMES) running.push(await startNode(settingsOf(name)))
      await client.ready()
      expectSignature(await signAs(1), publicKey)
    } finally {
      await client.stop()
    }
  })

  it('daemon: when the next lock names policy authors the files of the nodes count no more, and what the authors sign does', async () => {
    for (const node of running.splice(0)) await node.stop()
    const [old, out] = [join(root, 'cluster.lock.json'), join(root, 'next.lock.json')]
    const hash = toHex(lockHash(await draftNextLock({ lockFile: old, out, authors: AUTHORS })))
    for (const name of NAMES) {
      await signLockFile({ dir: dirOf(name), lockFile: out, hash, previousFile: old })
      await rm(join(dirOf(name), 'policy.yaml'))
    }
    for (const name of NAMES) await copyFile(out, join(dirOf(name), 'cluster.lock.json'))
    for (const name of NAMES) running.push(await startNode(settingsOf(name)))
    const client = await connect(out, coordinator)
    try {
      const codes = async () => (await client.askBoth({ propose: proposal(2, transfer(8n), { keyId: 'k' }) })).map((b) => verdictIn(b).code)
      expect(await codes()).to.deep.equal(['POLICY_NO_RULE', 'POLICY_NO_RULE'])
      const { isNew, status } = await submitPolicy(dirOf('n2'), signedPolicy(POLICY, await readLock(out)))
      expect([isNew, status.inForce.sequence, status.from]).to.deep.equal([true, 2, 'authors'])
      await until('the other one has it', async () => (await readPolicyStatus(dirOf('n1'))).inForce.sequence === 2)
      expect(await codes()).to.deep.equal(['ALLOWED', 'ALLOWED'])
    } finally {
      await client.stop()
    }
  })
})

/** A coordinator's end of the links to both nodes. */
async function connect(lockFile: string, signer: ReturnType<typeof softIdentity>) {
  const lock = await readLock(lockFile)
  const answers = new Map<string, (body: Response['body']) => void>()
  const link: Transport = libp2pTransport({ lock, self: 'c1', signer, listen: [] })
  await link.start({
    frame: (from, bytes) => {
      const { body } = decode(Frame, bytes)
      if ('response' in body) answers.get(`${from.name} ${body.response.id}`)?.(body.response.body)
    },
    linkUp: () => undefined,
    linkDown: () => undefined,
  })
  let next = 1
  const askBoth = (body: Request['body']): Promise<Response['body'][]> =>
    Promise.all(
      lock.nodes.map((node) => {
        const id = next++
        const answered = new Promise<Response['body']>((resolve) => answers.set(`${node.name} ${id}`, resolve))
        link.send(node, encode(Frame, { body: { request: { id, traceparent: '', body } } }))
        return answered
      }),
    )
  const ready = async (): Promise<void> => {
    await until('both links', () => link.links().every((l) => l.up))
    await until('the pair', async () =>
      (await askBoth({ status: {} })).every((b) => 'status' in b && b.status.pairs.every((p) => p.state === 'ready')),
    )
  }
  await ready()
  return { askBoth, ready, stop: () => link.stop() }
}
