import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { refusal } from './conformance.ts'
import { COMPILER_MISSING, compileShim, type VendorShim } from './providers/vendor-shim.fixture.ts'
import { probeHsm } from './provision.ts'
import { provisionSoftHsm, SOFTHSM_MISSING, type SoftHsm, softHsm, temporaryDirectory } from './softhsm-rig.fixture.ts'
import { runOnTerminal, runWithoutTerminal, type Shown, TERMINAL_MISSING } from './terminal.fixture.ts'

const MISSING = SOFTHSM_MISSING ?? COMPILER_MISSING ?? TERMINAL_MISSING
const UNLOCK = fileURLToPath(new URL('./unlock.fixture.ts', import.meta.url))
const PIN = 'typed-pin-4711'
const QUESTION = 'PIN of HSM typed (token token-typed): '

describe(`unlocking an HSM, SoftHSM2 behind a shim${MISSING === undefined ? '' : ` (skipped: ${MISSING})`}`, () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>
  let shim: VendorShim
  let hsm: SoftHsm

  before(async function () {
    if (MISSING !== undefined) this.skip()
    directory = await temporaryDirectory()
    shim = compileShim()
    const plain = await softHsm(directory.path, 'typed', PIN)
    await provisionSoftHsm(plain)
    hsm = shim.wrap(plain, 'final-try')
  })
  after(async () => {
    shim?.remove()
    await directory?.remove()
  })

  const logins = () => shim.calls(hsm, 'C_Login')
  /** @returns what was shown, and how many logins it took. */
  const unlock = async (...typed: string[]): Promise<Shown & { logins: number }> => {
    const before = logins()
    const shown = await runOnTerminal([UNLOCK, JSON.stringify(hsm.settings)], [{ when: QUESTION, type: typed.join('') }])
    return { ...shown, logins: logins() - before }
  }

  it('unlock: without a terminal nobody is asked, and nothing is tried', async () => {
    const before = logins()
    const shown = await runWithoutTerminal([UNLOCK, JSON.stringify(hsm.settings)])
    expect([shown.text, shown.exitCode, logins() - before]).to.deep.equal(['refused: PIN_NEEDED\n', 1, 0])
  })

  for (const [what, typed] of [
    ['nothing', ['\r']],
    ['a PIN and Ctrl-C', [PIN, '\x03']],
  ] as const) {
    it(`unlock: ${what} is no login`, async () => {
      const shown = await unlock(...typed)
      expect([shown.exitCode === 0, shown.logins]).to.deep.equal([false, 0])
    })
  }

  it('unlock: a wrong PIN is tried once, and not shown', async () => {
    const shown = await unlock('not-the-pin\r')
    expect([shown.exitCode, shown.logins, shown.text.includes('not-the-pin')]).to.deep.equal([1, 1, false])
    expect(shown.text).to.include('refused: PIN_INCORRECT')
  })

  it("unlock: at a token's last try nobody logs in but a person, and after that everybody does", async () => {
    const before = logins()
    expect((await refusal(probeHsm(hsm.settings))).code).to.equal('PIN_FINAL_TRY')
    expect(logins()).to.equal(before)
    // With a slip of the finger and its correction.
    const shown = await unlock(`${PIN}x\x7f\r`)
    expect(shown.text).to.match(/logged in to [0-9a-f]{16}/)
    expect([shown.exitCode, shown.logins, shown.text.includes(PIN)]).to.deep.equal([0, 1, false])
    // Another name: what a process was refused it does not try again.
    expect((await probeHsm({ ...hsm.settings, env: { ...hsm.settings.env, ANOTHER: 'x' } })).chosen).to.equal('gcm')
  })
})
