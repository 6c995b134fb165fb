import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf, toHex } from '@conclave/core'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'chai'
import { NAMES, useCluster } from '../rig/cluster.ts'
import { filesBelow, type Sealed, withStopped } from '../rig/disk.ts'
import { shownBy } from '../rig/processes.ts'
import { createKey, payload, signOnce, transfer } from '../rig/signing.ts'
import { filesWith, tracesOf } from '../rig/traces.ts'

const KEYS = ['first', 'second']
const SEED_BYTES = 32
const SIXTEENTH = 16

/** What must not be found, by name: the scalar of a share; delta and some of the seeds of a pair state; a whole MAC key. */
function partsOf(name: string, secret: Uint8Array): readonly (readonly [string, Uint8Array])[] {
  if (!name.startsWith('pair')) return [[name, secret.slice(0, 32)]]
  const seeds = Array.from({ length: Math.floor((secret.length - 16) / SEED_BYTES) }, (_, i) => 16 + i * SEED_BYTES)
  // Every sixteenth, and the last one, which is the zero-share seed.
  const some = seeds.filter((_, i) => i % SIXTEENTH === 0 || i === seeds.length - 1)
  return [[`${name}: delta`, secret.slice(0, 16)], ...some.map((at) => [`${name}: seed`, secret.slice(at, at + SEED_BYTES)] as const)]
}

describe('secrets', () => {
  const rig = useCluster({ nodeSettings: 'log:\n  level: debug\n' })
  let files: ReadonlyMap<string, Buffer>
  let shown: readonly string[]

  /** A run with all that handles secrets: keys, signatures, a denial, a node that dies, and one that comes back. */
  before(async () => {
    const { cluster } = rig()
    for (const keyId of KEYS) await signOnce(rig(), { keyId, publicKey: await createKey(rig(), keyId) })
    const key = await cluster.client.key('first')
    const { requestId } = await cluster.client.requestSignature({ keyId: 'first', payload: payload(transfer({ chainId: 1n })) })
    expect((await cluster.client.settled(requestId)).state).to.equal('denied')
    await cluster.kill('oslo')
    await signOnce(rig(), key)
    await cluster.startNodes(['oslo'])
    await cluster.linked(NAMES)
    await signOnce(rig(), key)
    shown = process.platform === 'linux' ? await shownBy(cluster.pids().values()) : []
    await rig().observer.stop()
    await cluster.stop()
    files = await filesBelow(cluster.dir)
  })

  const secretOf = async (name: string, file: string) => (await readFile(join(rig().cluster.dirOf(name), file), 'utf8')).trim()
  const found = (text: string) => filesWith(files, [Buffer.from(text)]).map((path) => path.slice(rig().cluster.dir.length + 1))

  it('search: it looks at logs, settings, databases and finds a planted value in every form', async () => {
    const paths = [...files.keys()].join('\n')
    for (const part of ['/node.yaml', '/store/', '.log', '/coordinator.yaml', '/store.key', 'coordinator/store/'])
      expect(paths).to.include(part)
    expect(paths).not.to.include('/tokens/')
    const secret = createHash('sha256').update('planted').digest()
    const traces = tracesOf(secret)
    expect(filesWith(files, traces)).to.deep.equal([])
    const planted = join(rig().cluster.dirOf('zurich'), 'planted')
    const forms: readonly (string | Buffer)[] = [
      Buffer.concat([Buffer.from('x'), secret]),
      `"share":"${secret.toString('hex')}"`,
      `<Buffer ${(secret.toString('hex').match(/../g) ?? []).join(' ')}>`,
      ...[0, 1, 2, 5].map((n) => Buffer.concat([Buffer.alloc(n, 7), secret]).toString('base64')),
      ...[0, 1, 2, 5].map((n) => Buffer.concat([Buffer.alloc(n, 7), secret, Buffer.alloc(n)]).toString('base64url')),
      JSON.stringify(new Uint8Array(secret)),
      JSON.stringify([...secret]),
      String(BigInt(`0x${secret.toString('hex')}`)),
    ]
    for (const form of forms) {
      await writeFile(planted, form)
      const seen = filesWith(await filesBelow(rig().cluster.dirOf('zurich')), traces)
      expect(seen, `not found as ${form}`).to.deep.equal([planted])
    }
    await writeFile(planted, '')
  })

  for (const name of NAMES) {
    it(`${name}: no part of its shares, pair states and store key is in any log or file of any member`, async () => {
      await withStopped(rig().cluster.dirOf(name), async ({ vault, sealed }) => {
        expect(sealed).to.have.length(KEYS.length + NAMES.length - 1 + 1)
        for (const s of sealed) {
          using opened = await vault.open(s.context, s.record)
          for (const [what, bytes] of partsOf(s.name, opened.bytes)) expect(filesWith(files, tracesOf(bytes)), what).to.deep.equal([])
        }
      })
    })

    it(`${name}: its PINs are in their own files only, and in no command line or environment`, async () => {
      for (const file of ['pin', 'so-pin']) {
        const pin = await secretOf(name, file)
        expect(found(pin)).to.deep.equal([join(name, file)])
        expect(shown.some((text) => text.includes(pin))).to.equal(false)
      }
    })
  }

  it('processes: the search sees the command lines of nodes, coordinator and HSM agents', function () {
    if (process.platform !== 'linux') return this.skip()
    for (const part of [...NAMES.map((name) => rig().cluster.dirOf(name)), 'coordinator\0--dir', 'agent/main.ts'])
      expect(
        shown.some((text) => text.includes(part)),
        part,
      ).to.equal(true)
  })

  it('coordinator: its API key and the seed of its identity are in their own files only', async () => {
    for (const file of ['api-key', 'identity']) {
      const secret = await secretOf('coordinator', file)
      expect(found(secret)).to.deep.equal([join('coordinator', file)])
      expect(shown.some((text) => text.includes(secret))).to.equal(false)
    }
  })

  it('no dealer: each node has one share of each key, and no two are the same', async () => {
    const prints = new Map<string, Set<string>>(KEYS.map((keyId) => [keyId, new Set()]))
    for (const [i, name] of NAMES.entries()) {
      await withStopped(rig().cluster.dirOf(name), async ({ vault, keys, pending, sealed }) => {
        expect(keys.map((k) => k.certificate.key.keyId).sort()).to.deep.equal(KEYS)
        expect(pending).to.equal(0)
        for (const { certificate, sealed: record } of keys) {
          const { context } = sealed.find((s) => s.record === record) as Sealed
          using opened = await vault.open(context, record)
          const scalar = opened.bytes.slice(0, 32)
          expect(toHex(secp256k1.getPublicKey(scalar))).to.equal(toHex(certificate.key.publicShares[i] as Uint8Array))
          expect(toHex(secp256k1.getPublicKey(scalar))).not.to.equal(toHex(certificate.key.publicKey))
          // Of a share only its hash outlives this turn.
          prints.get(context.keyId)?.add(createHash('sha256').update(scalar).digest('hex'))
          scalar.fill(0)
        }
      })
    }
    for (const [keyId, hashes] of prints) expect(hashes.size, keyId).to.equal(NAMES.length)
  })

  it('no dealer: what one node has sealed opens with its own HSM only, and only as what it is', async () => {
    const { cluster } = rig()
    const [mine, ...others] = NAMES
    const sealed = await withStopped(cluster.dirOf(mine), async (node) => {
      const codes = await Promise.all(
        node.sealed.map((s) => node.vault.open({ ...s.context, keyId: 'another' }, s.record).then(() => 'opened', codeOf)),
      )
      expect(new Set(codes)).to.deep.equal(new Set(['TAMPER']))
      return node.sealed
    })
    for (const name of others) {
      await withStopped(cluster.dirOf(name), async ({ vault }) => {
        for (const { name: what, context, record } of sealed) {
          expect(await vault.open(context, record).then(() => 'opened', codeOf), what).to.equal('KEY_MISSING')
          expect(await vault.open({ ...context, nodeId: name }, record).then(() => 'opened', codeOf), what).to.equal('TAMPER')
        }
      })
    }
  })

  it('no dealer: the coordinator has no sealed record', () => {
    const magic = [Buffer.from('CSR\u0002')]
    const owners = filesWith(files, magic).map((path) => path.slice(rig().cluster.dir.length + 1).split('/')[0])
    expect([...new Set(owners)].sort()).to.deep.equal([...NAMES].sort())
  })
})
