import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { providerMissing } from '@conclave/vault/providers'
import { expect } from 'chai'
import { FaultCluster } from '../faults/hsm-faults.ts'

const MISSING = providerMissing('nss')

// The whole of it, with more kinds and without a backup: npm run hsm:faults.
describe(`faults of HSMs under load, SoftHSM2 with NSS as backup${MISSING === undefined ? '' : ` (skipped: ${MISSING})`}`, () => {
  let dir: string | undefined
  let cluster: FaultCluster | undefined

  before(async function () {
    if (MISSING !== undefined) this.skip()
    dir = await mkdtemp(join(tmpdir(), 'conclave-faults-'))
    cluster = await FaultCluster.start(dir, ['softhsm', 'nss'])
  })
  after(async () => {
    await cluster?.stop()
    if (dir !== undefined) await rm(dir, { recursive: true, force: true })
  })

  for (const kind of ['agent-sigkill', 'token-directory-renamed'] as const) {
    it(`hsm faults: ${kind} at so many nodes that no quorum avoids it: no signature is lost, no node restarts`, async () => {
      const result = await cluster?.run(kind)
      const good = { kind, backup: 'nss', nodes: 2, of: 3, signaturesLost: 0, refused: 0, recovered: true, failoverLogged: true }
      expect(result, JSON.stringify(result)).to.deep.include(good)
      expect(result?.requests).to.be.greaterThan(10)
    })
  }
})
