import { type Random, systemRandom, toHex } from '@conclave/core'
import { expect } from 'chai'
import type { VaultCode } from './codes.ts'
import { CONFORMANCE_CONTEXT as CONTEXT, opened, refusal, CONFORMANCE_SECRET as SECRET } from './conformance.ts'
import { openRecord, sealRecord } from './envelope.ts'
import type { Hsm } from './hsm.ts'
import { MemoryDevice } from './memory-hsm.ts'
import { parseRecord } from './record.ts'
import { closingVaults } from './vaults.fixture.ts'

const AVAILABILITY: VaultCode[] = ['SESSION_LOST', 'TOKEN_LOST', 'BUSY', 'TIMEOUT', 'AGENT_DIED', 'TAKEN_OUT']
/** About this HSM too, though nothing but a person brings it back. */
const PERSON: VaultCode[] = ['PIN_INCORRECT', 'PIN_LOCKED', 'PIN_FINAL_TRY', 'PIN_NEEDED', 'PIN_SOURCE', 'MODULE_MISSING']
const FATAL: VaultCode[] = ['TAMPER', 'ROLLBACK', 'KEY_MISSING', 'KEY_AMBIGUOUS', 'UNSUPPORTED']

function devices(): { primary: MemoryDevice; backup: MemoryDevice; both: MemoryDevice[] } {
  const [primary, backup] = [new MemoryDevice({ name: 'primary' }), new MemoryDevice({ name: 'backup' })]
  return { primary, backup, both: [primary, backup] }
}

describe('envelope', () => {
  const vaultOver = closingVaults()

  for (const code of [...AVAILABILITY, ...PERSON]) {
    it(`open: fails over on ${code}`, async () => {
      const { primary, both } = devices()
      const vault = await vaultOver({ devices: both })
      const record = await vault.seal(CONTEXT, SECRET)
      primary.fail(code)
      expect(await opened(vault.open(CONTEXT, record))).to.equal(toHex(SECRET))
    })

    it(`seal: leaves out an HSM that answers ${code}, and counts it`, async () => {
      const { primary, backup, both } = devices()
      const vault = await vaultOver({ devices: both })
      backup.fail(code)
      expect(parseRecord(await vault.seal(CONTEXT, SECRET)).recipients.map((r) => r.name)).to.deep.equal(['primary'])
      backup.heal()
      await vault.hsm('backup').retry()
      await vault.seal(CONTEXT, SECRET)
      expect((await vault.health()).map((h) => [h.ok, h.missedSeals])).to.deep.equal([
        [true, 0],
        [true, 1],
      ])
      primary.fail(code)
      backup.fail('TIMEOUT')
      // The first HSM's reason, it being the one that matters most; of several the one that may pass by itself.
      expect((await refusal(vault.seal(CONTEXT, SECRET))).code).to.equal(PERSON.includes(code) ? 'TIMEOUT' : code)
    })
  }

  for (const code of FATAL) {
    it(`open: does not ask the backup after ${code}`, async () => {
      const { primary, backup, both } = devices()
      const vault = await vaultOver({ devices: both })
      const record = await vault.seal(CONTEXT, SECRET)
      primary.fail(code)
      const calls = backup.calls
      expect((await refusal(vault.open(CONTEXT, record))).code).to.equal(code)
      expect(backup.calls).to.equal(calls)
    })

    it(`seal: refuses when an HSM answers ${code}`, async () => {
      const { backup, both } = devices()
      const vault = await vaultOver({ devices: both })
      backup.fail(code)
      expect((await refusal(vault.seal(CONTEXT, SECRET))).code).to.equal(code)
    })
  }

  it('open: a wrong wrap for the primary is TAMPER without a question to the backup', async () => {
    const { backup, both } = devices()
    const vault = await vaultOver({ devices: both })
    const record = await vault.seal(CONTEXT, SECRET)
    const { wrapped } = parseRecord(record).recipients[0]!
    record[wrapped.byteOffset - record.byteOffset]! ^= 1
    const calls = backup.calls
    expect((await refusal(vault.open(CONTEXT, record))).code).to.equal('TAMPER')
    expect(backup.calls).to.equal(calls)
  })

  for (const name of ['primary', 'backup'] as const) {
    it(`seal: a wrap that unwraps to something else at the ${name} is never returned`, async () => {
      const rig = devices()
      const vault = await vaultOver({ devices: rig.both })
      rig[name].corruptNextWrap()
      expect((await refusal(vault.seal(CONTEXT, SECRET))).code).to.equal('TAMPER')
      expect(await opened(vault.open(CONTEXT, await vault.seal(CONTEXT, SECRET)))).to.equal(toHex(SECRET))
    })
  }

  it('open: an HSM that became a member later is passed over; a node of strangers is KEY_MISSING', async () => {
    const { primary, backup, both } = devices()
    const record = await (await vaultOver({ devices: [backup] })).seal(CONTEXT, SECRET)
    expect(await opened((await vaultOver({ devices: both })).open(CONTEXT, record))).to.equal(toHex(SECRET))
    expect((await refusal((await vaultOver({ devices: [primary] })).open(CONTEXT, record))).code).to.equal('KEY_MISSING')
  })

  it('open: among recipients of one serial the name decides, and a wrong one is not opened', async () => {
    const { both } = devices()
    const SERIAL = '0000000000000000'
    const hsms = both.map((device): Hsm => {
      const hsm = device.connect()
      const own = hsm.describe()
      return {
        ...hsm,
        describe: async () => ({ ...(await own), tokenSerial: SERIAL }),
        wrap: async (aad, dek) => ({ ...(await hsm.wrap(aad, dek)), tokenSerial: SERIAL }),
        unwrap: async (aad, key) => hsm.unwrap(aad, { ...key, tokenSerial: (await own).tokenSerial }),
      }
    }) as [Hsm, Hsm]
    const { record } = await sealRecord(hsms, systemRandom, CONTEXT, SECRET)
    for (const hsm of hsms) expect(await opened(openRecord([hsm], CONTEXT, record))).to.equal(toHex(SECRET))
    // Under another name it can only guess, and finds that the KEK is not its own.
    expect((await refusal(openRecord([{ ...hsms[1], name: 'renamed' }], CONTEXT, record))).code).to.equal('KEY_MISSING')
  })

  it('open: the header is authenticated as a whole, recipients that are not used included', async () => {
    const { primary, both } = devices()
    const record = await (await vaultOver({ devices: both })).seal(CONTEXT, SECRET)
    const { wrapped } = parseRecord(record).recipients[1]!
    record[wrapped.byteOffset - record.byteOffset]! ^= 1
    expect((await refusal((await vaultOver({ devices: [primary] })).open(CONTEXT, record))).code).to.equal('TAMPER')
  })

  it('seal, open: the data key is wiped wherever it was', async () => {
    const seen: Uint8Array[] = []
    const device = new MemoryDevice({ name: 'primary' }).connect()
    const hsm: Hsm = {
      ...device,
      async unwrap(aad, key) {
        seen.push(await device.unwrap(aad, key))
        return seen.at(-1)!
      },
    }
    const random: Random = {
      bytes(length) {
        const bytes = systemRandom.bytes(length)
        if (length === 32) seen.push(bytes)
        return bytes
      },
    }
    const { record } = await sealRecord([hsm], random, CONTEXT, SECRET)
    using _ = await openRecord([hsm], CONTEXT, record)
    expect(seen.map(toHex)).to.deep.equal(Array(3).fill('00'.repeat(32)))
  })
})
