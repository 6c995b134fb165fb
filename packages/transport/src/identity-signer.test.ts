import { ConclaveError, verifyIdentity } from '@conclave/core'
import { expect } from 'chai'
import { externalPrivateKey, softIdentity } from './identity-signer.ts'
import { silentLogger } from './logger.ts'

const hex = (s: string) => Uint8Array.from(Buffer.from(s, 'hex'))

describe('identity signer', () => {
  it('softIdentity: key and signature of RFC 8032, test 2', async () => {
    const signer = softIdentity(hex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb'))
    expect(signer.key.publicKey).to.deep.equal(hex('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c'))
    const signature = await signer.sign(hex('72'))
    expect(Buffer.from(signature).toString('hex')).to.equal(
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    )
    expect(verifyIdentity(signer.key, hex('72'), signature)).to.equal(true)
    expect(() => softIdentity(new Uint8Array(31)))
      .to.throw()
      .with.property('code', 'BAD_SEED')
  })

  it('externalPrivateKey: one message is signed once, also when asked twice at once; there is no raw key', async () => {
    const soft = softIdentity(new Uint8Array(32).fill(1))
    let calls = 0
    const sign = (message: Uint8Array) => {
      calls++
      return soft.sign(message)
    }
    const key = externalPrivateKey({ key: soft.key, sign }, 1_000, silentLogger)
    const [a, b] = await Promise.all([key.sign(hex('01')), key.sign(hex('01'))])
    expect(a).to.deep.equal(b)
    expect(calls).to.equal(1)
    await key.sign(hex('02'))
    expect(calls).to.equal(2)
    expect(() => key.raw).to.throw(ConclaveError)
    expect(key.publicKey.raw).to.deep.equal(soft.key.publicKey)
  })

  it('externalPrivateKey: too slow is IDENTITY_TIMEOUT, a wrong signature BAD_SIGNATURE', async () => {
    const soft = softIdentity(new Uint8Array(32).fill(1))
    const codeOfSign = async (sign: () => Promise<Uint8Array>) => {
      const key = externalPrivateKey({ key: soft.key, sign }, 20, silentLogger)
      return Promise.resolve(key.sign(hex('01'))).catch((error: unknown) => (error as ConclaveError).code)
    }
    expect(await codeOfSign(() => new Promise(() => undefined))).to.equal('IDENTITY_TIMEOUT')
    expect(await codeOfSign(async () => new Uint8Array(64))).to.equal('BAD_SIGNATURE')
  })
})
