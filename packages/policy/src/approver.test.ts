import { createHash } from 'node:crypto'
import { codeOf, concat, fromHex, tagged, toHex, utf8 } from '@conclave/core'
import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { expect } from 'chai'
import { meetsApprovals } from './approver.ts'
import { parseCoseKey, verifyAssertion } from './passkey.ts'
import { policyHash } from './policy.ts'
import { parsePolicy } from './policy-file.ts'

const edKey = (seed: string) => toHex(ed25519.getPublicKey(tagged(seed)))
const [ALICE, BOB] = [edKey('alice'), edKey('bob')]
const POINT = toHex(p256.getPublicKey(tagged('carol'), false)).slice(2)
const ES256 = `a5010203262001215820${POINT.slice(0, 64)}225820${POINT.slice(64)}`
const OKP = (key: string) => `a4010103272006215820${key}`

const PEOPLE = `requesters: [{ name: exchange, key: "ed25519:${edKey('exchange')}" }]
approvers:
  - { id: alice, groups: [treasury, risk], keys: ["ed25519:${ALICE}"] }
  - { id: bob, groups: [treasury], keys: ["ed25519:${BOB}", { webauthn: { rpId: example.org, origin: "https://a.example.org", key: "${ES256}" } }] }
`
const PQ = `mldsa65:${'ab'.repeat(1952)}`
const withPq = (id: string, pq: string) => PEOPLE.replace(`{ id: ${id},`, `{ id: ${id}, pq: "${pq}",`)
const policy = (approvals = '{ required: 2, of: [treasury] }', people = PEOPLE) =>
  parsePolicy(`version: 1
sequence: 1
${people}rules:
  - { name: r, effect: allow, when: { payload: raw, approvals: ${approvals} } }
`)
const ruleOf = (approvals: string) => {
  const [rule] = policy(approvals).rules
  return rule?.effect === 'allow' ? (rule.when.approvals ?? []) : []
}

describe('approvers', () => {
  it('approvers: one, all or any of several counts, of groups and of people', () => {
    const meets = (approvals: string, ...ids: readonly string[]) => meetsApprovals(ruleOf(approvals), new Set(ids))
    expect([meets('{ required: 2, of: [treasury] }', 'alice'), meets('{ required: 2, of: [treasury] }', 'alice', 'bob')]).to.deep.equal([
      false,
      true,
    ])
    expect(meets('{ required: 1, of: [bob] }', 'alice')).to.equal(false)
    const all = '{ all: [{ required: 1, of: [risk] }, { required: 1, of: [bob] }] }'
    expect([meets(all, 'alice'), meets(all, 'bob'), meets(all, 'alice', 'bob'), meets(all)]).to.deep.equal([false, false, true, false])
    const any = '{ any: [{ required: 2, of: [treasury] }, { required: 1, of: [risk] }] }'
    expect([meets(any, 'alice'), meets(any, 'bob'), meets(any, 'mallory')]).to.deep.equal([true, false, false])
  })

  it('approvers: nobody, too few, one key for two people, and what is no key are refused', () => {
    for (const [approvals, people] of [
      ['{ required: 1, of: [nobody] }'],
      ['{ required: 3, of: [treasury] }'],
      ['{ required: 2, of: [alice, risk] }'],
      ['{ required: 0, of: [treasury] }'],
      ['{ required: 1, of: [] }'],
      ['{ all: [] }'],
      ['{ required: 1, of: [treasury], more: 1 }'],
      ['{ required: 1, of: [treasury] }', ''],
      ['{ required: 1, of: [treasury] }', PEOPLE.replace(BOB, ALICE)],
      ['{ required: 1, of: [treasury] }', PEOPLE.replace('id: bob', 'id: alice')],
      ['{ required: 1, of: [treasury] }', PEOPLE.replace(ALICE, '00'.repeat(32))],
      ['{ required: 1, of: [treasury] }', PEOPLE.replace(ALICE, ALICE.toUpperCase())],
      ['{ required: 1, of: [treasury] }', PEOPLE.replace(ES256, ES256.replace('a501', 'a502'))],
      ['{ required: 1, of: [treasury] }', PEOPLE.replace(ES256, `${ES256}00`)],
      ['{ required: 1, of: [treasury] }', PEOPLE.replace('requesters: [', 'requesters: []#')],
      ['{ required: 1, of: [treasury] }', withPq('alice', PQ.slice(0, -2))],
      ['{ required: 1, of: [treasury] }', withPq('alice', PQ.replace('mldsa65', 'mldsa87'))],
      ['{ required: 1, of: [treasury] }', withPq('alice', PQ.toUpperCase())],
      // He has a passkey, and no authenticator makes such signatures.
      ['{ required: 1, of: [treasury] }', withPq('bob', PQ)],
      ['{ required: 1, of: [treasury] }', `${withPq('alice', PQ)}  - { id: carol, keys: ["ed25519:${edKey('carol')}"], pq: "${PQ}" }\n`],
    ] as const)
      expect(() => policy(approvals, people), `${approvals} ${people}`).to.throw(/policy:\d+: /)
  })

  it('approvers: people and approvals are in the hash of a policy', () => {
    const hashes = [
      policy(),
      policy('{ required: 1, of: [treasury] }'),
      policy('{ all: [{ required: 1, of: [alice] }, { required: 1, of: [bob] }] }'),
      policy('{ any: [{ required: 1, of: [alice] }, { required: 1, of: [bob] }] }'),
      policy(undefined, PEOPLE.replace(ALICE, edKey('other'))),
      policy(undefined, PEOPLE.replace(edKey('exchange'), edKey('other'))),
      policy(undefined, PEOPLE.replace('https://a.', 'https://b.')),
      policy(undefined, PEOPLE.replace('rpId: example.org', 'rpId: example.com')),
      policy(undefined, withPq('alice', PQ)),
      policy(undefined, withPq('alice', PQ.replaceAll('ab', 'ac'))),
    ].map((p) => toHex(policyHash(p)))
    expect(new Set(hashes).size).to.equal(hashes.length)
  })
})

describe('passkey', () => {
  const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest())

  it('passkey: a canonical COSE key of ES256 or Ed25519 is one, and nothing else is', () => {
    expect(parseCoseKey(fromHex(ES256)).algorithm).to.equal('ES256')
    expect(parseCoseKey(fromHex(OKP(ALICE)))).to.deep.equal({ algorithm: 'Ed25519', publicKey: fromHex(ALICE) })
    for (const bad of [
      '',
      ES256.slice(2),
      `${ES256}00`,
      ES256.replace('2001', '2002'),
      ES256.slice(0, -64) + '11'.repeat(32),
      OKP('00'.repeat(32)),
      OKP(`${ALICE}00`),
    ]) {
      let code = 'PARSED'
      try {
        parseCoseKey(fromHex(bad))
      } catch (error) {
        code = codeOf(error)
      }
      expect(code, bad).to.equal('BAD_PASSKEY')
    }
  })

  it('passkey: an Ed25519 assertion holds, and with one bit flipped anywhere it does not', () => {
    const passkey = {
      kind: 'webauthn',
      rpId: 'example.org',
      origin: 'https://a.example.org',
      ...parseCoseKey(fromHex(OKP(ALICE))),
    } as const
    const challenge = tagged('challenge')
    const encoded = Buffer.from(challenge).toString('base64url')
    const clientData = utf8(
      `{"type":"webauthn.get","challenge":"${encoded}","origin":"https://a.example.org","crossOrigin":false,"other":"let be"}`,
    )
    const authenticatorData = concat(sha256(utf8('example.org')), Uint8Array.of(0x05, 0, 0, 0, 1))
    const assertion = {
      authenticatorData,
      clientData,
      signature: ed25519.sign(concat(authenticatorData, sha256(clientData)), tagged('alice')),
    }
    expect(verifyAssertion(passkey, challenge, assertion)).to.equal(true)
    for (const name of ['authenticatorData', 'clientData', 'signature'] as const)
      for (let i = 0; i < assertion[name].length; i++) {
        const flipped = Uint8Array.from(assertion[name])
        flipped[i] = (flipped[i] as number) ^ 1
        expect(verifyAssertion(passkey, challenge, { ...assertion, [name]: flipped }), `${name} ${i}`).to.equal(false)
      }
    expect(verifyAssertion(passkey, tagged('another'), assertion)).to.equal(false)
    const cross = utf8(new TextDecoder().decode(clientData).replace('false', 'true'))
    const signed = ed25519.sign(concat(authenticatorData, sha256(cross)), tagged('alice'))
    expect(verifyAssertion(passkey, challenge, { authenticatorData, clientData: cross, signature: signed })).to.equal(false)
  })
})
