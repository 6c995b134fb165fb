import { expect } from 'chai'
import fc from 'fast-check'
import type { PolicyRequest } from './conditions.ts'
import type { DecodedPayload } from './decoded-payload.ts'
import { evaluate } from './evaluate.ts'
import { evaluateLayered, parseOverlay } from './overlay.ts'
import { parsePolicy } from './policy-file.ts'

const ADDRESSES = ['0x70997970C51812dc3A010C7d01b50e0d17dc79C8', '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC']
const approver = 'ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'
const head = 'version: 1\nsequence: 1\n'

interface Drawn {
  readonly denies: boolean
  readonly to: readonly string[]
  readonly max: number
  readonly keys: readonly string[]
  readonly more: string
}
const ruleText = ({ denies, to, max, keys, more }: Drawn, i: number) => {
  const where = `chains: [1], destinations: [${to.map((a) => `'${a}'`).join()}], keys: [${keys.join()}]`
  return denies
    ? `  - { name: r${i}, effect: deny, when: { ${where} } }\n`
    : `  - { name: r${i}, effect: allow, when: { ${where}, amountMaxWei: '${max}'${more} } }\n`
}
const rules = (more: readonly string[]) =>
  fc.array(
    fc.record({
      denies: fc.boolean(),
      to: fc.subarray(ADDRESSES, { minLength: 1 }),
      max: fc.integer({ min: 1, max: 10 }),
      keys: fc.subarray(['k1', 'k2'], { minLength: 1 }),
      more: fc.constantFrom('', ...more),
    }),
    { maxLength: 3 },
  )
const text = (drawn: readonly Drawn[]) => `${head}${drawn.length === 0 ? 'rules: []\n' : `rules:\n${drawn.map(ruleText).join('')}`}`

const LIMIT = ", limits: [{ window: 1h, amountMaxWei: '7' }]"
const requests = fc.record({
  to: fc.constantFrom(...ADDRESSES),
  amount: fc.bigInt(0n, 12n),
  keyId: fc.constantFrom('k1', 'k2'),
  spent: fc.bigInt(0n, 8n),
})
const requestOf = ({ to, amount, keyId, spent }: { to: string; amount: bigint; keyId: string; spent: bigint }): PolicyRequest => ({
  ...{ keyId, path: [], nowMs: 1_000_000_000, history: { total: () => spent } },
  payload: {
    ...{ type: 'evm.tx', chainId: 1n, destinations: [{ id: to, text: to }], amounts: [{ asset: 'wei', amount }], feeMax: 0n, call: 'none' },
    ...{ digests: [{ digest: new Uint8Array(32), path: undefined }], changePaths: [], summary: [] },
  } as unknown as DecodedPayload,
})

describe('overlay', () => {
  it('overlay: it allows exactly what both allow, and never more than the policy', () => {
    const seen = { both: 0, denied: 0 }
    const property = fc.property(rules([LIMIT]), rules([LIMIT]), requests, (own, layer, drawn) => {
      const [policy, overlay] = [parsePolicy(text(own)), parseOverlay(text(layer), 'overlay')]
      const request = requestOf(drawn)
      const [alone, over, layered] = [evaluate(policy, request), evaluate(overlay, request), evaluateLayered({ policy, overlay }, request)]
      expect(layered.allowed).to.equal(alone.allowed && over.allowed)
      if (!alone.allowed) expect(layered).to.deep.equal(alone)
      if (alone.allowed && !over.allowed) expect(layered).to.include({ code: over.code, rule: `overlay:${over.rule}` })
      if (layered.allowed) seen.both++
      else if (alone.allowed) seen.denied++
    })
    fc.assert(property, { seed: 0x6f7665, numRuns: 500 })
    // The draw meets both outcomes often enough to mean something.
    expect([seen.both > 5, seen.denied > 5], JSON.stringify(seen)).to.deep.equal([true, true])
  })

  it('overlay: what only waits for approvals is denied at once when the overlay denies it', () => {
    const rule = `  - { name: big, effect: allow, when: { chains: [1], destinations: ['${ADDRESSES[0]}'], amountMaxWei: '9', approvals: { required: 1, of: [ann] } } }\n`
    const policy = parsePolicy(`${head}rules:\n${rule}approvers:\n  - { id: ann, keys: ['${approver}'] }\n`)
    const request = requestOf({ to: ADDRESSES[0] as string, amount: 5n, keyId: 'k1', spent: 0n })
    expect(evaluateLayered({ policy }, request).code).to.equal('PENDING_APPROVAL')
    const nothing = parseOverlay(`${head}rules: []\n`, 'overlay')
    expect(evaluateLayered({ policy, overlay: nothing }, request)).to.include({ allowed: false, code: 'POLICY_NO_RULE' })
  })

  it('overlay: what belongs to the policy of the cluster is refused in it', () => {
    const perRule = text([
      { denies: false, to: ADDRESSES, max: 1, keys: ['k1'], more: ", limits: [{ window: 1h, per: rule, amountMaxWei: '7' }]" },
    ])
    for (const bad of [
      `${head}rules: []\napprovers:\n  - { id: ann, keys: ['${approver}'] }\n`,
      `${head}rules: []\nrequesters:\n  - { name: exchange, key: '${approver}' }\n`,
      perRule,
    ])
      expect(() => parseOverlay(bad, 'own.yaml'))
        .to.throw(/^own\.yaml: /)
        .with.property('code', 'BAD_OVERLAY')
  })
})
