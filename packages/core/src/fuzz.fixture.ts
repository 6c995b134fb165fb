import { ed25519 } from '@noble/curves/ed25519.js'
import { z } from 'zod'
import { fromHex, toHex, utf8 } from './bytes.ts'
import { type ClusterLock, lockHash, signLock, verifyLock } from './cluster-lock.ts'
import { readErasure, signErasure, verifyErasure } from './erasure.ts'
import { ConfigError } from './errors.ts'
import { tagged } from './hash.ts'
import { parseIdentityKey, verifyIdentity } from './identity.ts'
import { formatLock, parseLock } from './lock-file.ts'
import { parseYamlFile } from './yaml-file.ts'

const textOf = (input: Uint8Array) => new TextDecoder().decode(input)
const secret = (name: string) => tagged('fuzz', utf8(name))
const peerId = (i: number) => `12D3KooW${'abc'[i]}`.padEnd(52, 'x')

async function goodLock(): Promise<ClusterLock> {
  const identity = (name: string) => ({ type: 'ed25519', publicKey: toHex(ed25519.getPublicKey(secret(name))) })
  let lock = parseLock({
    format: 'conclave-cluster-lock/2',
    version: 1,
    previous: '',
    clusterId: 'ab'.repeat(32),
    quorum: { required: 2, of: 2 },
    nodes: ['a', 'b'].map((name, i) => ({
      index: i + 1,
      name,
      peerId: peerId(i),
      addresses: ['/ip4/127.0.0.1/tcp/1'],
      identity: identity(name),
      checkpointKeys: [identity(`${name} checkpoint`)],
    })),
    coordinators: [{ name: 'c', peerId: peerId(2), addresses: [] }],
    authors: { required: 1, keys: [{ name: 'ada', key: identity('ada') }] },
    signatures: [],
    approvals: [],
  })
  for (const name of ['a', 'b']) {
    const key = parseIdentityKey('ed25519', ed25519.getPublicKey(secret(name)))
    lock = await signLock(lock, { key, sign: async (m) => ed25519.sign(m, secret(name)) })
  }
  return lock
}

async function startLock() {
  const good = await goodLock()
  const run = (input: Uint8Array) => {
    let value: unknown
    try {
      value = JSON.parse(textOf(input))
    } catch {
      // Whoever reads the file says so himself.
      return
    }
    const lock = parseLock(value)
    verifyLock(lock)
    // Both identities have signed only this one.
    if (toHex(lockHash(lock)) !== toHex(lockHash(good))) throw new Error('a changed lock verifies')
    if (formatLock(parseLock(JSON.parse(formatLock(lock)))) !== formatLock(lock)) throw new Error('a lock does not survive its file')
  }
  return { seeds: [utf8(formatLock(good)), utf8(formatLock({ ...good, signatures: new Map() }))], run }
}

function startIdentity() {
  const key = ed25519.getPublicKey(secret('a'))
  const message = utf8('message')
  const run = (input: Uint8Array) => {
    for (const type of ['ed25519', 'secp256k1', 'p256']) {
      const size = type === 'ed25519' ? 32 : 33
      // Never throws, whatever the signature is.
      const verified = verifyIdentity(parseIdentityKey(type, input.subarray(0, size)), message, input.subarray(size))
      if (verified && toHex(input) !== toHex(seed)) throw new Error('a changed signature verifies')
    }
  }
  const seed = fromHex(toHex(key) + toHex(ed25519.sign(message, secret('a'))))
  return { seeds: [seed], run }
}

const Schema = z.strictObject({ a: z.int(), list: z.array(z.strictObject({ name: z.string().max(20) })).max(3) })
const YAML = "a: 1\nlist:\n  - name: one # first\n  - { name: 'two' }\n"

function startYaml() {
  const run = (input: Uint8Array) => {
    try {
      parseYamlFile(textOf(input), { file: 'fuzz', schema: Schema, code: 'BAD_FUZZ' })
    } catch (error) {
      const { line } = error instanceof ConfigError ? error.details : {}
      if (typeof line === 'number' && line >= 1) throw error
      throw new Error('no line is named', { cause: error })
    }
  }
  return { seeds: [utf8(YAML), utf8(JSON.stringify({ a: 1, list: [] }))], run }
}

async function startErasure() {
  const lock = await goodLock()
  const key = parseIdentityKey('ed25519', ed25519.getPublicKey(secret('a')))
  const facts = { clusterId: lock.clusterId, node: 'a', keyId: 'k', publicKey: `02${'11'.repeat(32)}`, epochs: [0, 3] }
  const kek = { destroyed: 2, hsms: ['primary'], without: [] }
  const good = await signErasure(
    { ...facts, kek, at: '2026-01-01T00:00:00.000Z' },
    { key, sign: async (m) => ed25519.sign(m, secret('a')) },
  )
  const run = (input: Uint8Array) => {
    const erasure = readErasure(textOf(input))
    verifyErasure(lock, erasure)
    if (JSON.stringify(erasure) !== JSON.stringify(good)) throw new Error('a changed erasure record verifies')
  }
  return { seeds: [utf8(JSON.stringify(good))], run }
}

export const TARGETS = [
  { name: 'core.erasure', kind: 'json', runs: 200, codes: /^(BAD_ERASURE|ERASURE_[A-Z_]+)$/, start: startErasure },
  { name: 'core.lock', kind: 'json', runs: 300, codes: /^(BAD_LOCK|BAD_IDENTITY|BAD_THRESHOLD|BAD_HEX|LOCK_UNSIGNED)$/, start: startLock },
  { name: 'core.identity', kind: 'bytes', runs: 150, codes: /^BAD_IDENTITY$/, start: startIdentity },
  { name: 'core.yaml', kind: 'text', runs: 400, codes: /^BAD_FUZZ$/, start: startYaml },
]
