import { fromHex, type PolicyAuthors, parseIdentityKey, policyFileHash, utf8 } from '@conclave/core'
import { parsePolicy, policyHash, policyWord, type SignedPolicy } from '@conclave/policy'
import { type Person, person } from '../approvals/people.fixture.ts'
import { ALLOWED } from '../members.fixture.ts'

export const [ADA, BEN, CEM, EVE] = [person('ada'), person('ben'), person('cem'), person('eve')]

export const authorOf = ({ name, text }: Person) => ({ name, key: parseIdentityKey('ed25519', fromHex(text.slice('ed25519:'.length))) })

/** Two of three. */
export const AUTHORS: PolicyAuthors = { required: 2, keys: [ADA, BEN, CEM].map(authorOf) }

/** Small payments, up to a maximum. */
export const payText = (sequence: number, maxWei: number, more = '') => `
version: 1
sequence: ${sequence}
rules:
  - name: pay
    effect: allow
    when: { chains: [31337], destinations: ['${ALLOWED}'], amountMaxWei: '${maxWei}', feeMaxWei: '1000000000000000000' }
${more}`

export interface Signing {
  readonly by?: readonly Person[] | undefined
  /** Hex. */
  readonly clusterId: string
}

/** A policy file with the signatures of `by`. */
export function signedPolicy(text: string, { by = [ADA, BEN], clusterId }: Signing): SignedPolicy {
  const policy = parsePolicy(text)
  const bare = { sequence: policy.sequence, policyHash: policyHash(policy), text: utf8(text) }
  const message = policyFileHash(policyWord(fromHex(clusterId), bare))
  return { ...bare, signatures: by.map((p) => ({ author: p.name, signature: p.sign(message) })) }
}
