import { formatNote, MlDsaSigner, originOf } from '@conclave/audit'
import { tagged, toHex } from '@conclave/core'
import { parsePolicy } from '@conclave/policy'
import { expect } from 'chai'
import { peoplePolicy } from './approvals/people.fixture.ts'
import { type WarningFacts, warningsOf } from './warnings.ts'

const clusterId = toHex(tagged('test-cluster'))
const open = parsePolicy("version: 1\nsequence: 1\nrules: [{ name: r, effect: allow, when: { payload: raw, keys: ['a'] } }]\n")

function witnessed(node: string, isPq: boolean) {
  const origin = originOf(clusterId, node)
  const text = `${origin}\n0\n${Buffer.from(tagged('root')).toString('base64')}\n`
  const plain = { name: origin, keyId: new Uint8Array(4), signature: new Uint8Array(64) }
  const signatures = isPq ? [plain, new MlDsaSigner(tagged('seed')).sign(text, origin)] : [plain]
  return { node, checkpoint: formatNote({ text, signatures }), conflict: undefined }
}

describe('warnings', () => {
  const FACTS: WarningFacts = { clusterId, policy: peoplePolicy(), isPostQuantum: false, witnessed: [witnessed('n2', false)] }
  const codes = (change: Partial<WarningFacts>) => warningsOf({ ...FACTS, ...change }).map((w) => w.code)

  it('a policy without requesters: is warned of, unless it allows nothing', () => {
    expect(codes({})).to.deep.equal([])
    expect(codes({ policy: open })).to.deep.equal(['REQUESTS_UNSIGNED'])
    expect(codes({ policy: { ...open, rules: [] } })).to.deep.equal([])
  })

  it('checkpoints without ML-DSA: are warned of where another node has it', () => {
    const others = [witnessed('n2', false), witnessed('n3', true)]
    expect(codes({ witnessed: others })).to.deep.equal(['CHECKPOINTS_NOT_PQ'])
    expect(warningsOf({ ...FACTS, witnessed: others })[0]?.message).to.match(/^n3 signs/)
    for (const isPostQuantum of [true, undefined]) expect(codes({ isPostQuantum, witnessed: others })).to.deep.equal([])
  })
})
