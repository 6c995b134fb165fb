import { codeOf, sameIdentity, toHex, verifyIdentity } from '@conclave/core'
import { expect } from 'chai'
import type { KeyVault } from './key-vault.ts'
import { lifeTests } from './life-conformance.ts'
import { parseRecord } from './record.ts'
import { recordTests, tamperTests } from './record-conformance.ts'
import {
  CONFORMANCE_CONTEXT as CONTEXT,
  type ConformanceProvider,
  type ConformanceRig,
  opened,
  refusal,
  CONFORMANCE_SECRET as SECRET,
} from './rig-conformance.ts'

export {
  CONFORMANCE_CONTEXT,
  CONFORMANCE_SECRET,
  type ConformanceProvider,
  type ConformanceRig,
  opened,
  refusal,
} from './rig-conformance.ts'

/**
 * The tests that every provider of HSMs must pass.
 *
 * @param provider - its `create` makes a fresh node; called once.
 */
export function vaultConformance(name: string, provider: ConformanceProvider): void {
  const note = provider.missing === undefined ? '' : ` (skipped: ${provider.missing})`
  describe(`vault conformance: ${name}${note}`, () => {
    let rig: ConformanceRig
    let vault: KeyVault

    before(async function () {
      if (provider.missing !== undefined) this.skip()
      rig = await provider.create()
      vault = await rig.open()
    })

    after(async () => {
      await vault?.close()
      await rig?.dispose()
    })

    recordTests(() => vault)
    tamperTests(() => vault)
    serviceTests(() => vault)
    availabilityTests(
      () => vault,
      () => rig,
      provider.checkpointHsms ?? ['primary', 'backup'],
    )
    lifecycleTests(() => rig)
    lifeTests(() => rig, provider.makesKeys ?? true)
    provider.more?.()
  })
}

function serviceTests(vault: () => KeyVault): void {
  it('identity: signatures verify, for this message and this key only', async () => {
    const { identity } = vault()
    // Half of the secp256k1 signatures of a token have a high s: enough of them to meet both.
    for (let i = 0; i < 16; i++) {
      const message = Uint8Array.from({ length: i * 9 }, (_, k) => k ^ i)
      const signature = await identity.sign(message)
      expect(verifyIdentity(identity.key, message, signature)).to.equal(true)
      expect(verifyIdentity(identity.key, Uint8Array.from([...message, 1]), signature)).to.equal(false)
    }
  })

  it('checkpoints: are signed by a key that is not the identity, and by the first HSM that has one', async () => {
    const { identity, checkpointSigner } = vault()
    for (let i = 0; i < 16; i++) {
      const message = Uint8Array.from({ length: i * 9 }, (_, k) => k ^ i)
      const { key, signature } = await checkpointSigner.sign(message)
      expect(key).to.deep.equal(checkpointSigner.keys[0])
      expect(verifyIdentity(key, message, signature)).to.equal(true)
      expect(verifyIdentity(identity.key, message, signature)).to.equal(false)
    }
  })

  it('random: gives what was asked for, different each time', async () => {
    const many = await Promise.all(Array.from({ length: 20 }, () => vault().random(32)))
    expect(many.every((r) => r.length === 32)).to.equal(true)
    expect(new Set(many.map(toHex)).size).to.equal(20)
    for (const length of [1, 1024]) expect(await vault().random(length)).to.have.length(length)
    for (const length of [0, 1025, 1.5, -1])
      expect(
        codeOf(
          await vault()
            .random(length)
            .catch((e: unknown) => e),
        ),
      ).to.equal('BAD_LENGTH')
  })

  it('health: all HSMs are well', async () => {
    const health = await vault().health()
    expect(health.map((h) => [h.name, h.ok, h.code])).to.deep.equal([
      ['primary', true, undefined],
      ['backup', true, undefined],
    ])
    expect(health.every((h) => typeof h.latencyMs === 'number')).to.equal(true)
  })
}

function availabilityTests(vault: () => KeyVault, rig: () => ConformanceRig, signers: readonly ('primary' | 'backup')[]): void {
  for (const [dead, alive] of [
    ['primary', 'backup'],
    ['backup', 'primary'],
  ] as const) {
    it(`availability: with the ${dead} dead, the ${alive} opens, seals and signs checkpoints, and both serve again after it is back`, async () => {
      const before = await vault().seal(CONTEXT, SECRET)
      await rig().kill(dead)
      try {
        expect(await opened(vault().open(CONTEXT, before))).to.equal(toHex(SECRET))
        const during = await vault().seal(CONTEXT, SECRET)
        expect(parseRecord(during).recipients.map((r) => r.name)).to.deep.equal([alive])
        expect(await opened(vault().open(CONTEXT, during))).to.equal(toHex(SECRET))
        expect(await vault().random(8)).to.have.length(8)
        const { keys, sign } = vault().checkpointSigner
        if (signers.includes(alive)) {
          const { key, signature } = await sign(SECRET)
          expect(keys.findIndex((k) => sameIdentity(k, key))).to.equal(signers.indexOf(alive))
          expect(verifyIdentity(key, SECRET, signature)).to.equal(true)
        } else expect((await refusal(sign(SECRET))).retriable).to.equal(true)
        const sick = (await vault().health()).find((h) => h.name === dead)!
        expect([sick.ok, sick.missedSeals > 0]).to.deep.equal([false, true])
        expect(['SESSION_LOST', 'TOKEN_LOST', 'BUSY', 'TIMEOUT', 'AGENT_DIED']).to.include(sick.code)
      } finally {
        await rig().revive(dead)
      }
      const after = await vault().seal(CONTEXT, SECRET)
      expect(parseRecord(after).recipients).to.have.length(2)
      expect((await vault().health()).map((h) => h.ok)).to.deep.equal([true, true])
    })
  }

  it('availability: the backup does not heal a record whose wrap for the primary was changed', async () => {
    const record = await vault().seal(CONTEXT, SECRET)
    const [recipient] = parseRecord(record).recipients
    const changed = record.slice()
    // `wrapped` is a view of the record, so its offset is the place to hurt.
    changed[recipient!.wrapped.byteOffset - record.byteOffset]! ^= 1
    expect((await refusal(vault().open(CONTEXT, changed))).code).to.equal('TAMPER')
  })

  it('availability: with all HSMs dead the refusals are retriable, and nothing is created', async () => {
    const record = await vault().seal(CONTEXT, SECRET)
    await Promise.all([rig().kill('primary'), rig().kill('backup')])
    try {
      const { open, seal, random, identity, checkpointSigner } = vault()
      const refused = [open(CONTEXT, record), seal(CONTEXT, SECRET), random(8), identity.sign(SECRET), checkpointSigner.sign(SECRET)]
      expect((await Promise.all(refused.map(refusal))).map((e) => e.retriable)).to.deep.equal(refused.map(() => true))
    } finally {
      await Promise.all([rig().revive('primary'), rig().revive('backup')])
    }
    expect(await opened(vault().open(CONTEXT, record))).to.equal(toHex(SECRET))
  })
}

function lifecycleTests(rig: () => ConformanceRig): void {
  it('lifecycle: a restarted node opens its records and has its identity', async () => {
    const first = await rig().open()
    const record = await first.seal(CONTEXT, SECRET)
    await first.close()
    const second = await rig().open()
    expect(await opened(second.open(CONTEXT, record))).to.equal(toHex(SECRET))
    expect(second.identity.key).to.deep.equal(first.identity.key)
    await second.close()
  })

  it('lifecycle: close drains what is in flight, may be called twice, and ends the vault', async () => {
    const vault = await rig().open()
    const inFlight = Promise.all(Array.from({ length: 10 }, () => vault.seal(CONTEXT, SECRET)))
    await Promise.all([vault.close(), vault.close()])
    expect(await inFlight).to.have.length(10)
    const { seal, random, identity, checkpointSigner, health } = vault
    const refused = [seal(CONTEXT, SECRET), identity.sign(SECRET), checkpointSigner.sign(SECRET), random(1), health()]
    for (const { code, retriable } of await Promise.all(refused.map(refusal))) expect([code, retriable]).to.deep.equal(['CLOSED', false])
  })
}
