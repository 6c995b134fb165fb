import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatKey, parseCard, tagged, toHex, utf8 } from '@conclave/core'
import { peerIdOf, softIdentity } from '@conclave/transport'
import { openPkcs11Vault, softHsmModule } from '@conclave/vault'
import { expect } from 'chai'
import { addToCard } from './card.ts'
import { addHsm } from './hsm-ceremonies.ts'
import { CARD_FILE, initNode, SETTINGS_FILE } from './init.ts'
import { refusal } from './refusal.fixture.ts'
import { readSettings } from './settings.ts'

const keyOf = (name: string) => softIdentity(tagged('card', utf8(name))).key
const missing = softHsmModule() === undefined ? ' (skipped: SoftHSM2 is not installed)' : ''

describe('card', () => {
  let dir: string
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'conclave-card-'))
  })
  afterEach(() => rm(dir, { recursive: true, force: true }))

  const card = (keys: readonly string[]) => ({
    ...{ kind: 'node', name: 'n1', peerId: peerIdOf(keyOf('identity')), addresses: [] },
    ...{ identity: formatKey(keyOf('identity')), checkpointKeys: keys.map((name) => formatKey(keyOf(name))) },
  })
  const read = async (file: string) => {
    const read = parseCard(JSON.parse(await readFile(file, 'utf8')))
    return read.kind === 'node' ? read.checkpointKeys.map((k) => toHex(k.publicKey)) : []
  }

  it('card: a new checkpoint key comes last, and one that is there is not added again', async () => {
    const file = join(dir, 'card.json')
    await writeFile(file, JSON.stringify(card(['a'])))
    for (const name of ['b', 'b', 'a', 'c']) await addToCard(file, keyOf(name))
    expect(await read(file)).to.deep.equal(['a', 'b', 'c'].map((name) => toHex(keyOf(name).publicKey)))
  })

  it('card: a fifth key, the card of a coordinator and a file that is none are refused and left as they were', async () => {
    const file = join(dir, 'card.json')
    const coordinator = { kind: 'coordinator', name: 'c1', peerId: peerIdOf(keyOf('identity')), addresses: [] }
    for (const [content, code] of [
      [JSON.stringify(card(['a', 'b', 'c', 'd'])), 'CARD_FULL'],
      [JSON.stringify(coordinator), 'CARD_UNREADABLE'],
      ['{', 'CARD_UNREADABLE'],
      ['{}', 'BAD_LOCK'],
    ] as const) {
      await writeFile(file, content)
      expect(await refusal(() => addToCard(file, keyOf('e')))).to.equal(code)
      expect(await readFile(file, 'utf8')).to.equal(content)
    }
  })

  ;(missing === '' ? it : it.skip)(`card: a backup HSM brings its checkpoint key with it${missing}`, async () => {
    const home = join(dir, 'n1')
    await initNode({ dir: home, name: 'n1', listen: ['/ip4/127.0.0.1/tcp/9'] })
    const { checkpointKey } = await addHsm({ dir: home, name: 'backup', write: true })
    const keys = await read(join(home, CARD_FILE))
    expect([keys.length, keys[1]]).to.deep.equal([2, toHex(checkpointKey?.publicKey as Uint8Array)])
    const vault = await openPkcs11Vault({ hsms: readSettings(join(home, SETTINGS_FILE)).hsms })
    expect(vault.checkpointSigner.keys.map((k) => toHex(k.publicKey))).to.deep.equal(keys)
    await vault.close()
  })
})
