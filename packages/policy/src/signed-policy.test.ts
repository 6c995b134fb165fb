import { codeOf, type IdentityKey, type PolicyAuthors, policyFileHash, tagged, utf8 } from '@conclave/core'
import { ed25519 } from '@noble/curves/ed25519.js'
import { expect } from 'chai'
import { policyHash } from './policy.ts'
import { parsePolicy } from './policy-file.ts'
import { formatPolicySignatures, parsePolicySignatures } from './policy-signatures.ts'
import { openSignedPolicy, policyWord, type SignedPolicy } from './signed-policy.ts'

const CLUSTER = tagged('test-cluster')
const secretOf = (name: string) => tagged('test-author', utf8(name))
const keyOf = (name: string): IdentityKey => ({ type: 'ed25519', publicKey: ed25519.getPublicKey(secretOf(name)) })
const authors: PolicyAuthors = { required: 2, keys: ['ada', 'ben', 'cem'].map((name) => ({ name, key: keyOf(name) })) }
const TEXT = '# ours\nversion: 1\nsequence: 3\nrules: []\n'

function signed(names: readonly string[], change: Partial<SignedPolicy> = {}, clusterId = CLUSTER): SignedPolicy {
  const text = change.text ?? utf8(TEXT)
  const meant = { sequence: 3, policyHash: policyHash(parsePolicy(TEXT)), ...change, text }
  const message = policyFileHash(policyWord(clusterId, meant))
  const signatures = names.map((author) => ({ author, signature: ed25519.sign(message, secretOf(author)) }))
  return { ...meant, signatures: change.signatures ?? signatures }
}

const refusal = (policy: SignedPolicy) => {
  try {
    openSignedPolicy(policy, { clusterId: CLUSTER, authors })
  } catch (error) {
    return codeOf(error)
  }
  return 'OPENED'
}

describe('signed policy', () => {
  const good = signed(['ada', 'cem'])

  it('signed policy: as many authors as are required, and it opens', () => {
    expect(openSignedPolicy(good, { clusterId: CLUSTER, authors }).sequence).to.equal(3)
    expect(refusal(signed(['cem', 'ben', 'ada']))).to.equal('OPENED')
  })

  const flipped = (s: Uint8Array) => s.with(7, (s[7] as number) ^ 1)
  const [ada, cem] = good.signatures as [SignedPolicy['signatures'][0], SignedPolicy['signatures'][0]]
  for (const [what, code, policy] of [
    ['too few authors', 'POLICY_TOO_FEW_AUTHORS', signed(['ada'])],
    ['no author', 'POLICY_TOO_FEW_AUTHORS', signed([])],
    ['one author twice', 'POLICY_AUTHOR_TWICE', signed(['ada', 'ada'])],
    ['somebody who is no author', 'POLICY_UNKNOWN_AUTHOR', signed(['ada', 'eve'])],
    ['a signature under another name', 'POLICY_SIGNATURE', { ...good, signatures: [ada, { ...cem, author: 'ben' }] }],
    ['one signature too many that is wrong', 'POLICY_SIGNATURE', { ...good, signatures: [ada, cem, { ...ada, author: 'ben' }] }],
    ['a changed signature', 'POLICY_SIGNATURE', { ...good, signatures: [ada, { ...cem, signature: flipped(cem.signature) }] }],
    ['another cluster', 'POLICY_SIGNATURE', signed(['ada', 'ben'], {}, tagged('another cluster'))],
    ['a changed comment', 'POLICY_SIGNATURE', { ...good, text: utf8(TEXT.replace('ours', 'mine')) }],
    ['another sequence than was signed', 'POLICY_SIGNATURE', { ...good, sequence: 4 }],
    ['another hash than was signed', 'POLICY_SIGNATURE', { ...good, policyHash: tagged('other') }],
    ['a sequence that is not that of the text', 'POLICY_SEQUENCE', signed(['ada', 'ben'], { sequence: 4 })],
    ['a hash that is not that of the text', 'POLICY_HASH', signed(['ada', 'ben'], { policyHash: tagged('other') })],
    ['a text that is no policy', 'BAD_POLICY', signed(['ada', 'ben'], { text: utf8('version: 1\n') })],
    ['a text that is not UTF-8', 'BAD_POLICY', signed(['ada', 'ben'], { text: Uint8Array.of(0xff, 0xfe) })],
  ] as const)
    it(`signed policy: refused: ${what}`, () => expect(refusal(policy)).to.equal(code))

  it('policy signatures: the file gives back what was written, and nothing else is read', () => {
    const { signatures, ...rest } = good
    const word = policyWord(CLUSTER, rest)
    const written = formatPolicySignatures({ ...word, signatures })
    expect(parsePolicySignatures(written, 'f')).to.deep.equal({ ...word, signatures })
    const wrong = (change: (o: Record<string, unknown>) => void) => {
      const o = JSON.parse(written) as Record<string, unknown>
      change(o)
      return () => parsePolicySignatures(JSON.stringify(o), 'f')
    }
    for (const change of [
      { format: 'x' },
      { extra: 1 },
      { sequence: 0 },
      { clusterId: '00' },
      { signatures: [{ author: 'A', signature: '00'.repeat(64) }] },
      { signatures: Array(17).fill({ author: 'a', signature: '00'.repeat(64) }) },
    ])
      expect(
        wrong((o) => Object.assign(o, change)),
        JSON.stringify(change),
      )
        .to.throw()
        .with.property('code', 'BAD_POLICY_SIGNATURES')
    expect(() => parsePolicySignatures('{', 'f')).to.throw(/^f is not JSON/)
  })
})
