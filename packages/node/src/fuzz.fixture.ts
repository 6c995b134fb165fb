import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConclaveError, codeOf, tagged, utf8 } from '@conclave/core'
import { silentLogger, type Transport } from '@conclave/transport'
import { memoryVault } from '@conclave/vault'
import {
  encode,
  Frame,
  PendingKey,
  StoredBackup,
  StoredBurn,
  StoredKey,
  StoredKeyLife,
  StoredPair,
  StoredRequest,
  StoredRestore,
  StoredSingleRequest,
  StoredUnboundRequest,
} from '@conclave/wire'
import { BackupMarks } from './backup/backup-store.ts'
import { BACKUP_TARGETS } from './backup/fuzz-targets.fixture.ts'
import { TestCluster } from './cluster.fixture.ts'
import { KEY, newKey, pairsReady, proposal, propose, requestId, TERMS, transfer, until } from './requests.fixture.ts'
import { parseSettings } from './settings.ts'
import { makeKey, SCOPE } from './store/dkg.fixture.ts'
import { KeyLives } from './store/key-lives.ts'
import { KeyStore } from './store/key-store.ts'
import { LevelStore } from './store/level-store.ts'
import { PairStore } from './store/pair-store.ts'
import { RequestStore } from './store/request-store.ts'
import type { Section } from './store/store.ts'

const SETTINGS = `cluster: { lock: ./cluster.lock.json }
node: { name: zurich }
hsm:
  - { name: primary, module: /usr/lib/softhsm/libsofthsm2.so, token: zurich-a, pin: { file: pin }, env: { SOFTHSM2_CONF: softhsm2.conf } }
  - { name: backup, module: /opt/hsm.so, token: zurich-b, serial: 1a2b, pin: { credential: pin_b } }
p2p: { listen: [/ip4/0.0.0.0/tcp/9100] }
store: { path: store }
policy: { file: /etc/conclave/policy.yaml }
`

const hash = tagged('fuzz')
const offer = { pairEpoch: 2, nonce: hash, current: hash, renewal: hash }
const renewal = { keyId: KEY, nonce: hash, fromEpoch: 0, epoch: 1 }
const session = { sessionId: hash, from: 2, round: 1, body: new Uint8Array(40) }
const attestations = [{ party: 2, signature: new Uint8Array(64) }]
const BATCH = [
  { payload: transfer(3n), path: [0, 5] },
  { payload: transfer(4n), path: [] },
]
const BODIES: readonly Frame['body'][] = [
  { session },
  { end: { sessionId: hash, from: 2, code: 'SESSION_SILENT' } },
  { response: { id: 1, body: { pairAccept: { pairEpoch: 1, agreed: false } } } },
  { response: { id: 1, body: { failure: { code: 'BUSY', message: 'm', retriable: true, culprits: [1], waitingFor: [2] } } } },
  {
    gossip: {
      keys: [{ keyId: KEY, active: true, epoch: 1, proved: true, epochs: [{ epoch: 1, certificateHash: hash, attestations }] }],
      asks: true,
    },
  },
  {
    policies: {
      ...{ sequence: 2, hash },
      policies: [{ sequence: 2, policyHash: hash, text: hash, signatures: [{ author: 'ada', signature: new Uint8Array(64) }] }],
    },
  },
  { request: { id: 1, traceparent: '', body: { pairOffer: offer } } },
  { request: { id: 9, traceparent: '', body: { correlateOffer: { pairId: hash, nonce: hash, count: 8, oldest: hash } } } },
  { response: { id: 2, body: { correlateAccept: { count: 8, oldest: new Uint8Array(0) } } } },
  { request: { id: 2, traceparent: '', body: { status: {} } } },
  { request: { id: 3, traceparent: '', body: { createKey: { keyId: 'fuzz', nonce: hash, threshold: 2, parties: [1, 2, 3] } } } },
  { request: { id: 4, traceparent: '', body: { propose: proposal(2, transfer(2n), { path: [0, 5] }) } } },
  { request: { id: 10, traceparent: '', body: { propose: proposal(3, BATCH) } } },
  { request: { id: 5, traceparent: '', body: { sign: { requestId: requestId(1), attempt: 1, signers: [1, 2], epoch: 0 } } } },
  {
    request: {
      id: 6,
      traceparent: '',
      body: { renewKey: { ...renewal, kind: 'refresh', threshold: 2, parties: [1, 2, 3], dealers: [1, 2, 3] } },
    },
  },
  {
    request: {
      id: 7,
      traceparent: '',
      body: { renewKey: { ...renewal, kind: 'reshare', threshold: 2, parties: [1, 2, 3], dealers: [1, 2] } },
    },
  },
  { request: { id: 8, traceparent: '', body: { certificate: { keyId: KEY, epoch: 0 } } } },
]
/** What one peer may have running here at once: a pair setup, and signings. */
const RUNNING_MAX = 33

/** A node with a key, whose two peers are gone; frames come from a coordinator, or from whoever took the place of node 2. */
async function startFrames(sender: 'node' | 'coordinator') {
  const bugs: unknown[] = []
  const watch = (about: unknown) => {
    const error = (about as { err?: unknown }).err
    if (error !== undefined && (!(error instanceof ConclaveError) || /^(INTERNAL|ASSERTION)$/.test(codeOf(error)))) bugs.push(error)
  }
  const cluster = await TestCluster.create(3, 2)
  await cluster.start(['n1'], { log: { ...silentLogger, warn: watch, error: watch }, waterMarks: { low: 1, high: 2 } })
  await cluster.start(['n2', 'n3'])
  await newKey(cluster)
  await pairsReady(cluster)
  await propose(cluster, 1, [1], transfer(1n))
  await cluster.kill('n2')
  let link: Transport | undefined
  if (sender === 'node') {
    link = await cluster.impostor('n2')
    const seen = link
    await until('the link to n1', () => seen.links().some((l) => l.up && l.member.name === 'n1'))
  }
  const run = async (input: Uint8Array) => {
    if (link === undefined) cluster.sendRaw(1, input)
    else link.send(cluster.member('n1'), input)
    // Once the hub has delivered it, the node must still answer.
    await new Promise((resolve) => setImmediate(resolve))
    const status = await cluster.node('n1').status()
    if (bugs.length > 0) throw new Error('a foreign error in the log', { cause: bugs.pop() })
    if (status.keys.length !== 1 || status.pairs.some((p) => p.state === 'burned')) throw new Error('a frame cost a key or a pair')
    if (cluster.pool('n1').running > RUNNING_MAX) throw new Error('too many sessions')
  }
  const stop = async () => {
    await link?.stop()
    await cluster.close()
  }
  return { seeds: BODIES.map((body) => encode(Frame, { body })), run, stop }
}

/** The value under a valid MAC: what an older or a broken release may have written. */
async function startStore(section: Section, key: string, seeds: readonly Uint8Array[]) {
  const dir = await mkdtemp(join(tmpdir(), 'conclave-fuzz-'))
  await LevelStore.create(join(dir, 'db'))
  const store = await LevelStore.open(join(dir, 'db'), tagged('mac'))
  const vault = await memoryVault()
  const run = async (value: Uint8Array) => {
    await store.apply([{ put: section, key, value }])
    const keys = await KeyStore.open(store, vault, SCOPE)
    for (const { key: pending } of keys.pending()) keys.attestationsOf(pending.keyId)
    for (const keyId of keys.ids()) keys.attestationsOf(keyId)
    const lives = await KeyLives.open(store)
    for (const keyId of ['k', ...lives.unfinished()]) lives.refusal(keyId)
    const pairs = await PairStore.open(store, vault, SCOPE)
    for (const j of [1, 2, 3]) {
      if (pairs.nextEpoch(j) < 1) throw new Error('an epoch that is none')
      if (pairs.current(j) !== undefined) await pairs.open(j)
    }
    await new RequestStore(store).spend(hash, 7)
    const marks = await BackupMarks.open(store)
    for (const backupId of marks.untold().keys()) await marks.told(backupId)
  }
  const stop = async () => {
    await store.close()
    await vault.close()
    await rm(dir, { recursive: true })
  }
  return { seeds, run, stop }
}

async function storedKeys(): Promise<{ readonly active: Uint8Array; readonly pending: Uint8Array }> {
  const { key, attestations: all } = await makeKey('k')
  const sealed = new Uint8Array(100)
  return {
    active: encode(StoredKey, { certificate: { key, attestations: all }, sealed, proved: false }),
    pending: encode(PendingKey, { key, sealed, attestations: all.slice(0, 1) }),
  }
}

const pair = encode(StoredPair, {
  pair: { self: 1, peer: 2, pairEpoch: 3, transcript: hash, clusterContext: SCOPE.clusterContext },
  sealed: new Uint8Array(100),
})
const burn = encode(StoredBurn, { peer: 2, pairEpoch: 3, code: 'OT_CHECK', at: new Uint8Array(8), peerId: 'peer-2' })
const stored = { requestId: hash, keyId: 'k', payloadType: 'evm.tx', attempts: 3 }
const requests = [
  encode(StoredRequest, { ...stored, items: BATCH, terms: TERMS }),
  encode(StoredUnboundRequest, { ...stored, items: BATCH }),
  encode(StoredSingleRequest, { ...stored, payload: transfer(1n), path: [0] }),
]
const made = { keyId: 'k', epoch: 1, backupId: hash }
const life = encode(StoredKeyLife, {
  ...{
    keyId: 'k',
    phase: 'destroyed',
    at: new Uint8Array(8),
    reason: 'r',
    publicKey: new Uint8Array(33),
    epochs: [0, 1],
    kekGeneration: 2,
  },
})
const STORED: readonly (readonly [Section, string, () => Promise<readonly Uint8Array[]>])[] = [
  ['key', 'k', async () => [(await storedKeys()).active]],
  ['pending-key', 'k', async () => [(await storedKeys()).pending]],
  ['pair', '2', async () => [pair]],
  ['burn', '2', async () => [burn]],
  ['key-life', 'k', async () => [life]],
  ['request', Buffer.from(hash).toString('hex'), async () => requests],
  ['backup', 'made/k', async () => [encode(StoredBackup, { ...made, at: new Uint8Array(8) })]],
  ['backup', 'restored/k', async () => [encode(StoredRestore, { ...made, madeAt: new Uint8Array(8) })]],
]

export const TARGETS = [
  {
    ...{ name: 'node.settings', kind: 'text', runs: 300, codes: /^BAD_SETTINGS$/ },
    start: () => ({
      seeds: [utf8(SETTINGS)],
      run: (input: Uint8Array) => parseSettings(new TextDecoder().decode(input), '/etc/node.yaml'),
    }),
  },
  ...(['node', 'coordinator'] as const).map((sender) => ({
    ...{ name: `node.frame-of-${sender}`, kind: 'message', runs: 300, codes: /^FRAME_EMPTY$/ },
    start: () => startFrames(sender),
  })),
  ...STORED.map(([section, key, seeds]) => ({
    ...{ name: `node.store-${section === 'backup' ? key.replace('/k', '') : section}`, kind: 'message', runs: 60 },
    codes: /^(WIRE_DECODE|STORE_CORRUPT|UNKNOWN_REQUEST|UNKNOWN_KEY|ATTEMPT_SPENT|TAMPER|UNSUPPORTED|BAD_NUMBER)$/,
    start: async () => startStore(section, key, await seeds()),
  })),
  ...BACKUP_TARGETS,
]
