import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PreparedToken, prepareToken, providerMissing, stopProvider } from '@conclave/vault/providers'
import { expect } from 'chai'
import { settled, useCluster } from '../rig/cluster.ts'
import { createKey, signOnce, signWith } from '../rig/signing.ts'

const TOKENS = { nss: 'NSS softokn', tpm: 'TPM 2.0' } as const

/** What the operator of a node with that token types behind `conclave node init`. */
function initArguments({ settings, adoptKek }: PreparedToken): readonly string[] {
  const { module, token, pin, env = {}, libraryParameters } = settings
  const hsmEnv = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  return [
    ...['--module', module, '--token', token, '--pin-file', pin.file],
    ...(hsmEnv.length === 0 ? [] : ['--hsm-env', ...hsmEnv]),
    ...(libraryParameters === undefined ? [] : ['--library-parameters', libraryParameters]),
    ...(adoptKek ? ['--adopt'] : []),
  ]
}

for (const name of ['nss', 'tpm'] as const) {
  const missing = providerMissing(name)
  describe(`a node on ${TOKENS[name]} among nodes on SoftHSM2${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
    before(function () {
      if (missing !== undefined) this.skip()
    })
    let dir: string
    let token: PreparedToken
    after(async () => {
      if (token !== undefined) stopProvider(token.provider.home)
      if (dir !== undefined) await rm(dir, { recursive: true, force: true })
    })
    const rig = useCluster(async () => {
      dir = await mkdtemp(join(tmpdir(), 'conclave-token-'))
      token = await prepareToken(name, dir)
      return { nodeInit: { oslo: initArguments(token) } }
    })
    const key = { keyId: name, publicKey: '' }

    it('init: its identity and checkpoint key are P-256, and its peer id is a key of its own', async () => {
      const card = JSON.parse(await readFile(join(rig().cluster.dirOf('oslo'), 'card.json'), 'utf8'))
      expect([card.identity.type, card.checkpointKeys[0].type]).to.deep.equal(['p256', 'p256'])
      expect(card.peerId).to.match(/^12D3KooW/)
    })

    it('sign: it makes a key with the others, and signs with each of them', async () => {
      key.publicKey = await createKey(rig(), key.keyId)
      for (const signers of [
        [1, 2],
        [2, 3],
      ])
        await signWith(rig(), key, signers)
    })

    it('restart: it proves its identity anew, and signs', async () => {
      const { cluster } = rig()
      await cluster.stopOne('oslo')
      await cluster.startNodes(['oslo'])
      await settled(rig())
      await signWith(rig(), key, [1, 2])
      await signOnce(rig(), key)
    })
  })
}
