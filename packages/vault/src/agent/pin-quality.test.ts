import { expect } from 'chai'
import { fingerprint, holdsPin, judgePin, samePin } from './pin-quality.ts'

const judge = (pin: string, ...names: readonly string[]) => judgePin(Buffer.from(pin), names)

describe('PIN quality', () => {
  it('PIN: defaults, runs and names are told, also behind the user of a CloudHSM or the key id of a YubiHSM2', () => {
    for (const pin of [
      '1234',
      '123456',
      '87654321',
      '0000',
      '00000000',
      'password',
      'Password',
      'abcdefgh',
      'crypto:password',
      '0001password',
    ])
      expect(judge(pin).isDefault, pin).to.equal(true)
    expect(judge('conclave-zurich', 'conclave-zurich').isDefault).to.equal(true)
    for (const pin of ['tr0ub4dor&3', 'c0nclave-zurich', '1235', '74639105']) expect(judge(pin).isDefault, pin).to.equal(false)
  })

  it('PIN: fewer than eight characters are short', () => {
    expect([judge('a1-b2_c').isShort, judge('a1-b2_c3').isShort, judge('user:a1').isShort]).to.deep.equal([true, false, true])
  })

  it('PIN: one class of characters needs sixteen of them', () => {
    expect([judge('7463910558').isOneClass, judge('7463910558274610').isOneClass]).to.deep.equal([true, false])
    expect([judge('hxkqwmzp').isOneClass, judge('hxkqwmz7').isOneClass, judge('hxkqWmzp').isOneClass]).to.deep.equal([true, false, false])
  })

  it('PIN: fingerprints are equal for equal PINs and one salt only', () => {
    const [salt, other] = [Buffer.alloc(16, 1), Buffer.alloc(16, 2)]
    const of = (pin: string, s: Buffer) => fingerprint(Buffer.from(pin), s)
    expect(of('geheim-0815', salt)).to.equal(of('geheim-0815', salt))
    expect(of('geheim-0815', salt)).to.not.equal(of('geheim-0816', salt))
    expect(of('geheim-0815', salt)).to.not.equal(of('geheim-0815', other))
    expect(samePin(Buffer.from('a'), Buffer.from('a')) && !samePin(Buffer.from('a'), Buffer.from('ab'))).to.equal(true)
  })

  it('PIN: it is found in a text as a word of its own only, and a very short one is not looked for', () => {
    const holds = (text: string, pin: string) => holdsPin(Buffer.from(text), Buffer.from(pin))
    expect(holds('a: geheim-0815\n', 'geheim-0815')).to.equal(true)
    expect(holds('xgeheim-0815 geheim-0815', 'geheim-0815')).to.equal(true)
    expect(holds('xgeheim-0815', 'geheim-0815')).to.equal(false)
    expect(holds('HSM_PIN=geheim-0815\0PATH=/', 'geheim-0815')).to.equal(true)
    expect(holds('tcp/12345', '12345')).to.equal(false)
  })
})
