import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { utf8 } from '@conclave/core'
import { MemoryDevice, memoryVault, type SealContext } from '@conclave/vault'
import { expect } from 'chai'
import { refusal } from '../refusal.fixture.ts'
import { sealedFile } from './sealed-file.ts'

const CONTEXT: SealContext = { clusterId: '00'.repeat(32), nodeId: 'n', recordType: 'store-key', keyId: 'store', epoch: 0, version: 1 }

describe('sealed file', () => {
  let dir: string
  let file: string
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'conclave-file-'))
    file = join(dir, 'store.key')
  })
  afterEach(() => rm(dir, { recursive: true, force: true }))

  it('sealed file: is rotated in place, private, with nothing beside it, and opens', async () => {
    const vault = await memoryVault({ devices: [new MemoryDevice({ name: 'primary' })] })
    const record = await vault.seal(CONTEXT, utf8('a key'))
    await writeFile(file, record)
    await vault.rotateKek(sealedFile('store.key', file, CONTEXT))
    expect(await readdir(dir)).to.deep.equal(['store.key'])
    expect((await stat(file)).mode & 0o777).to.equal(0o600)
    using opened = await vault.open(CONTEXT, new Uint8Array(await readFile(file)))
    expect(opened.bytes).to.deep.equal(utf8('a key'))
    expect(await refusal(() => vault.open(CONTEXT, record))).to.equal('KEK_DESTROYED')
  })

  it('sealed file: what was replaced meanwhile stays; what cannot be read is STORE_IO', async () => {
    await writeFile(file, 'first')
    const shelf = sealedFile('store.key', file, CONTEXT)
    const [entry] = await shelf.records()
    await writeFile(file, 'second')
    expect(await entry?.replace(utf8('third'))).to.equal(false)
    expect(await readFile(file, 'utf8')).to.equal('second')
    await rm(file)
    expect(await refusal(() => shelf.records())).to.equal('STORE_IO')
    await rm(dir, { recursive: true })
    expect(await refusal(() => entry?.replace(utf8('x')))).to.equal('STORE_IO')
  })
})
