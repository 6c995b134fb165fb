import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { toHex } from '@conclave/core'
import { decode, encode, SignCommit } from '@conclave/wire'
import { expect } from 'chai'
import { pino } from 'pino'
import { type Rig, TestCluster } from './cluster.fixture.ts'
import { codeIn, KEY, newKey, pairsReady, signTransfer } from './requests.fixture.ts'

/** Every way in which bytes may show in a text: hex, base64 at each alignment, a list of numbers, an object of numbers. */
function spellings(secret: Uint8Array): readonly string[] {
  const hex = toHex(secret)
  const base64 = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), secret]).toString('base64')
    // Without what the neighbours have a part in.
    return text.slice(shift === 0 ? 0 : 4, -4)
  })
  const url = base64.map((b) => b.replaceAll('+', '-').replaceAll('/', '_'))
  const numbers = [...secret.subarray(0, 12)]
  return [hex, hex.toUpperCase(), ...base64, ...url, numbers.join(','), numbers.join(', '), numbers.map((v, i) => `"${i}":${v}`).join(',')]
}

describe('secrets', () => {
  let cluster: TestCluster
  const lines: string[] = []
  /** What HSMs were asked to seal, by record type; copies, because the originals are wiped. */
  const sealed: { readonly type: string; readonly secret: Uint8Array }[] = []
  const opened: Uint8Array[] = []
  const handed: Uint8Array[] = []

  const rig: Rig = (parts) => ({
    ...parts,
    log: pino({ level: 'debug', base: { node: parts.name } }, { write: (line: string) => lines.push(line) }),
    vault: {
      ...parts.vault,
      seal: (context, secret) => {
        sealed.push({ type: context.recordType, secret: Uint8Array.from(secret) })
        handed.push(secret)
        return parts.vault.seal(context, secret)
      },
      open: async (context, record) => {
        const secret = await parts.vault.open(context, record)
        opened.push(secret.bytes)
        return secret
      },
    },
  })

  before(async () => {
    cluster = await TestCluster.create(3, 2)
    await cluster.start(cluster.names(), { rig, waterMarks: { low: 1, high: 2 } })
    await newKey(cluster)
    // A run with everything in it: success, refusal, a crash, a restart, a cheat.
    await signTransfer(cluster, 1, [1, 2])
    await signTransfer(cluster, 2000, [1, 2])
    await cluster.kill('n3')
    await signTransfer(cluster, 2, [1, 2], { attempt: 4 })
    await cluster.start(['n3'], { rig })
    await pairsReady(cluster)
    cluster.tamper.set('n3', (to, body) => {
      if (!('session' in body) || body.session.round !== 1 || to.name !== 'n1') return body
      const m = decode(SignCommit, body.session.body)
      return {
        session: {
          ...body.session,
          body: encode(SignCommit, { ...m, ots: m.ots.map((ot) => ({ ...ot, checkHash: m.commitments[0] as Uint8Array })) }),
        },
      }
    })
    const [answer] = await signTransfer(cluster, 3, [1, 3])
    expect(codeIn(answer as NonNullable<typeof answer>)).to.equal('OT_CHECK')
  })
  after(() => cluster.close())

  const allSecrets = (): readonly Uint8Array[] =>
    sealed.flatMap(({ type, secret }) => {
      // The scalar of a share; of a pair state Delta and a sample of the seeds.
      if (type === 'key-share') return [secret.slice(0, 32)]
      return [secret.slice(0, 16), ...[0, 1, 127, 128, 300, 383].map((i) => secret.slice(16 + 32 * i, 48 + 32 * i)), secret.slice(-32)]
    })

  it('secrets: the run sealed a share per node and a state per end of every pair', () => {
    const count = (type: string) => sealed.filter((s) => s.type === type).length
    expect([count('key-share'), count('pair-state')]).to.deep.equal([3, 6])
    expect(new Set(sealed.map((s) => s.type)).size).to.equal(2)
    expect(new Set(allSecrets().map(toHex)).size).to.be.greaterThan(3 + 6 * 6)
  })

  it('secrets: no log line of the whole run holds any of them', () => {
    const log = lines.join('')
    expect(log).to.include(KEY).and.to.include('OT_CHECK').and.to.include('pair set up')
    for (const secret of allSecrets()) for (const s of spellings(secret)) expect(log.includes(s), 'a secret is in the log').to.equal(false)
  })

  it('secrets: no file of any data directory holds any of them', async () => {
    const files: Buffer[] = []
    for (const name of cluster.names()) {
      for (const file of await readdir(join(cluster.dir, name))) files.push(await readFile(join(cluster.dir, name, file)))
    }
    const everything = Buffer.concat(files)
    // What is public is there in the clear, so the search would find what is secret.
    const record = (await cluster.store('n1').get('key', `${KEY}/0000000000`)) as Uint8Array
    expect(everything.includes(Buffer.from(record.subarray(0, 64)))).to.equal(true)
    for (const secret of allSecrets()) {
      expect(everything.includes(Buffer.from(secret)), 'a secret is in a file').to.equal(false)
      for (const s of spellings(secret)) expect(everything.includes(s), 'a secret is in a file').to.equal(false)
    }
  })

  it('secrets: what was sealed, and what was opened for a signing, is wiped in this thread afterwards', () => {
    for (const secret of [...handed, ...opened]) expect(secret.every((v) => v === 0)).to.equal(true)
    expect(opened.length).to.be.greaterThan(4)
  })
})
