import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryDevice, memoryVault } from '@conclave/vault'
import { expect } from 'chai'
import { openPqSigner, PQ_KEY_FILE, PQ_PUBLIC_FILE } from './audit/pq-key.ts'
import { createPeerKey, PEER_KEY_FILE } from './peer-key.ts'
import { besideStore, STORE_KEY_FILE, sealedFiles, storeKeyContext } from './sealed-files.ts'
import { writeDurably } from './store/sealed-file.ts'

describe('sealed files', () => {
  let dir: string
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'conclave-sealed-'))
  })
  afterEach(() => rm(dir, { recursive: true }))

  it('sealed files: every file that was ever sealed is on the list, opens as it stands there, and survives a rotation of the KEK', async () => {
    const settings = { name: 'n1', storePath: join(dir, 'store') }
    const at = (name: string) => besideStore(settings, name)
    const vault = await memoryVault({ devices: [new MemoryDevice({ name: 'primary' })] })
    await writeDurably(at(STORE_KEY_FILE), await vault.seal(storeKeyContext('n1'), new Uint8Array(32).fill(1)))
    await createPeerKey(vault, 'n1', at(PEER_KEY_FILE))
    const files = { sealed: at(PQ_KEY_FILE), public: at(PQ_PUBLIC_FILE) }
    const { publicKey } = await openPqSigner(vault, 'n1', files)
    const records = async () => (await Promise.all(sealedFiles(settings).map((shelf) => shelf.records()))).flat()
    expect((await records()).map((r) => r.name)).to.deep.equal([STORE_KEY_FILE, PEER_KEY_FILE, PQ_KEY_FILE])
    await vault.rotateKek({ settled: async () => undefined, records })
    for (const { context, record } of await records()) (await vault.open(context, record))[Symbol.dispose]()
    expect((await openPqSigner(vault, 'n1', files)).publicKey).to.deep.equal(publicKey)
    await vault.close()
  })

  it('sealed files: of those that a node need not have only what is there is on the list', () => {
    expect(sealedFiles({ name: 'n1', storePath: join(dir, 'store') })).to.have.length(1)
  })
})
