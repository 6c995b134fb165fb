import { expect } from 'chai'
import { COMPILER_MISSING, compileShim } from '../providers/vendor-shim.fixture.ts'
import { provisionSoftHsm, SOFTHSM_MISSING, softHsm, temporaryDirectory, withProfile } from '../softhsm-rig.fixture.ts'
import { runGcSoak } from './run-gc-soak.fixture.ts'

const OPERATIONS = 15

describe(`agent under forced garbage collection, SoftHSM2${SOFTHSM_MISSING === undefined ? '' : ` (skipped: ${SOFTHSM_MISSING})`}`, () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>

  before(async function () {
    if (SOFTHSM_MISSING !== undefined) this.skip()
    directory = await temporaryDirectory()
  })

  after(() => directory?.remove())

  for (const profile of ['cbc-hmac', 'kw'] as const) {
    it(`buffers: nothing is corrupted that the module still reads or writes (${profile})`, async () => {
      const hsm = withProfile(await softHsm(directory.path, profile), profile)
      await provisionSoftHsm(hsm)
      const { operations, corrupted, collections } = runGcSoak(hsm, OPERATIONS)
      expect([operations, corrupted]).to.deep.equal([OPERATIONS, 0])
      // A wrap, an unwrap and a signature are four calls at least, each after a collection.
      expect(collections).to.be.at.least((OPERATIONS / 3) * 4)
    })
  }

  it(`buffers: a module that reads a parameter only when the data comes still finds it${COMPILER_MISSING === undefined ? '' : ` (skipped: ${COMPILER_MISSING})`}`, async function () {
    if (COMPILER_MISSING !== undefined) this.skip()
    const shim = compileShim()
    try {
      const hsm = shim.wrap(await softHsm(directory.path, 'late'), 'late')
      await provisionSoftHsm(hsm)
      expect(runGcSoak(hsm, OPERATIONS).corrupted).to.equal(0)
    } finally {
      shim.remove()
    }
  })
})
