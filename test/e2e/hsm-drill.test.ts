import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type AdminStatus, askAdmin, type HsmDrillReport } from '@conclave/node'
import { expect } from 'chai'
import { NAMES, POLICY, useCluster } from '../rig/cluster.ts'
import { expectRefused, type Outcome, runConclave } from '../rig/command.ts'
import { createKey, signOnce } from '../rig/signing.ts'

const DRILLED = `${POLICY}  - name: drill
    effect: allow
    when: { payload: drill, keys: [drilled] }
`

describe('conclave hsm drill, real nodes over SoftHSM2', () => {
  const rig = useCluster({
    async first(cluster) {
      for (const name of NAMES) await writeFile(join(cluster.dirOf(name), 'policy.yaml'), DRILLED)
      const added = await runConclave(['hsm', 'init', '--dir', cluster.dirOf('zurich'), '--name', 'second', '--write'])
      expect(added.exitCode, added.stderr).to.equal(0)
    },
  })
  let publicKey: string

  before(async () => {
    publicKey = await createKey(rig(), 'drilled')
    await createKey(rig(), 'other')
  })

  const drill = (hsm: string, { node = 'zurich', key = 'drilled' } = {}): Promise<Outcome> => {
    const { cluster } = rig()
    const api = ['--coordinator', cluster.url, '--api-key-file', join(cluster.dir, 'coordinator', 'api-key')]
    return runConclave(['hsm', 'drill', '--dir', cluster.dirOf(node), '--hsm', hsm, '--key', key, ...api, '--json'])
  }
  const lock = () => join(rig().cluster.dir, 'cluster.lock.json')
  const verify = (file: string) => runConclave(['hsm', 'drill', '--verify', file, '--lock', lock()])
  const states = async () =>
    ((await askAdmin(join(rig().cluster.dirOf('zurich'), 'admin.sock'), '/v1/status')) as AdminStatus).hsm.map((h) => h.state)

  it('hsm drill: a node with one HSM is refused, and one whose records need the HSM, which is back at once', async () => {
    expectRefused(await drill('primary', { node: 'oslo' }), 'NO_BACKUP', /no other HSM/)
    expectRefused(await drill('primary'), 'RECORD_DEPENDS', /conclave hsm rewrap/)
    expect(await states()).to.deep.equal(['up', 'up'])
    await signOnce(rig(), { keyId: 'drilled', publicKey })
  })

  for (const hsm of ['primary', 'second']) {
    it(`hsm drill: without its ${hsm} HSM the node signs, and leaves a report that anybody can check`, async () => {
      const rewrapped = await runConclave(['hsm', 'rewrap', '--dir', rig().cluster.dirOf('zurich')])
      expect(rewrapped.exitCode, rewrapped.stderr).to.equal(0)
      const outcome = await drill(hsm)
      expect(outcome.exitCode, outcome.stderr).to.equal(0)
      const { file, report } = JSON.parse(outcome.stdout) as { file: string; report: HsmDrillReport }
      expect(report).to.include({ node: 'zurich', hsm, keyId: 'drilled', publicKey, restored: true, problem: null })
      // Two keys, two pairs, and the key of the store.
      expect(report.recordsOpened).to.equal(5)
      expect(report.signed?.signers).to.include(1)
      const verified = await verify(file)
      expect([verified.exitCode, /^verified: node zurich, 20/.test(verified.stdout)], verified.stdout).to.deep.equal([0, true])
      expect(await states()).to.deep.equal(['up', 'up'])
      await writeFile(`${file}.forged`, (await readFile(file, 'utf8')).replace(`"hsm": "${hsm}"`, '"hsm": "another"'))
      expectRefused(await verify(`${file}.forged`), 'WRONG_SIGNATURE')
      await signOnce(rig(), { keyId: 'drilled', publicKey })
    })
  }

  it('hsm drill: when the policies allow no drill it fails, says so in its report, and the HSM is back', async () => {
    const outcome = await drill('primary', { key: 'other' })
    const { file, report } = JSON.parse(outcome.stdout) as { file: string; report: HsmDrillReport }
    expect(outcome.exitCode).to.equal(1)
    expect(outcome.stderr).to.match(/^conclave: the drill failed: .*POLICY_DENIED.* \(DRILL_FAILED\)\n$/)
    expect(report).to.include({ signed: null, restored: true })
    expectRefused(await verify(file), 'DRILL_FAILED')
    expect(await states()).to.deep.equal(['up', 'up'])
  })

  it('hsm drill: wrong usage is told as such', async () => {
    for (const args of [
      ['--hsm', 'primary'],
      ['--verify', 'x'],
    ])
      expect((await runConclave(['hsm', 'drill', ...args])).exitCode).to.equal(2)
  })
})
