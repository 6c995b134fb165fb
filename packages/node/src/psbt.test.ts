import { deriveChild, type ExtendedKey, fromHex, toHex } from '@conclave/core'
import { decodePayload, parsePolicy } from '@conclave/policy'
import { PAYEE, psbtOf } from '@conclave/policy/testing/psbt'
import { DIGESTS_MAX, type ProposedItem } from '@conclave/wire'
import { expect } from 'chai'
import { TestCluster } from './cluster.fixture.ts'
import { Judge } from './judge.ts'
import { inForce } from './policies/in-force.ts'
import {
  type Body,
  createdIn,
  createKey,
  expectSignatures,
  KEY,
  pairsReady,
  requestId,
  sign,
  TERMS,
  verdictIn,
} from './requests.fixture.ts'

const POLICY = parsePolicy(`
version: 1
sequence: 1
rules:
  - name: sweep
    effect: allow
    when: { payload: btc.psbt, paths: ['m/0/*', 'm/1/*'], destinations: ['${PAYEE}'], amountMaxSat: '80000', feeMaxSat: '1000' }
`)

const clusterId = '11'.repeat(32)

describe('psbt', () => {
  let cluster: TestCluster
  let root: ExtendedKey

  before(async () => {
    cluster = await TestCluster.create(3, 2)
    await cluster.start(undefined, { policy: POLICY })
    root = createdIn((await createKey(cluster))[0] as Body)
    await pairsReady(cluster)
  })
  after(() => cluster.close())

  const propose = (i: number, items: readonly ProposedItem[]) =>
    Promise.all(
      [1, 2].map((j) => cluster.ask(j, { propose: { requestId: requestId(i), keyId: KEY, payloadType: 'btc.psbt', items, terms: TERMS } })),
    )

  it('psbt: each node derives a digest of every input itself, and signs each under the child that the PSBT names', async () => {
    const payload = psbtOf({ root })
    const { digests } = decodePayload('btc.psbt', payload, { key: root })
    for (const body of await propose(1, [{ payload, path: [] }])) {
      const verdict = verdictIn(body)
      expect(verdict).to.include({ allowed: true, rule: 'sweep' })
      expect(verdict.digests.map(toHex)).to.deep.equal(digests.map(({ digest }) => toHex(digest)))
    }
    const keys = digests.map(({ path }) => deriveChild(root, path ?? []).publicKey)
    const signed = expectSignatures(await sign(cluster, 1, [1, 2]), keys)
    expect(signed.map(({ digest }) => toHex(digest))).to.deep.equal(digests.map(({ digest }) => toHex(digest)))
  })

  it('psbt: a PSBT of another key, at another path, or over a limit is denied by name', async () => {
    const output = (amountSat: bigint) => psbtOf({ root, outputs: [{ to: PAYEE, amountSat }] })
    const change = psbtOf({
      root,
      outputs: [
        { to: PAYEE, amountSat: 80_000n },
        { to: [2, 0], amountSat: 29_000n },
      ],
    })
    const cases: readonly (readonly [Uint8Array, readonly number[], string])[] = [
      [psbtOf(), [], 'PAYLOAD_UNDECODABLE'],
      [psbtOf({ root }), [0], 'BAD_PATH'],
      [output(109_001n), [], 'AMOUNT_OVER_LIMIT'],
      [output(80_000n), [], 'FEE_OVER_LIMIT'],
      // Back to a child that the rule is not for.
      [change, [], 'PATH_NOT_ALLOWED'],
    ]
    for (const [i, [payload, path, code]] of cases.entries())
      for (const body of await propose(10 + i, [{ payload, path }])) expect(verdictIn(body)).to.include({ allowed: false, code })
  })

  it('judge: all items together have as many signatures as a session makes', () => {
    const judge = new Judge({ clusterId, policies: { present: inForce(POLICY) } })
    const inputs = Array.from({ length: 17 }, (_, i) => ({ kind: 'p2wpkh', path: [0, i], amountSat: 1000n }) as const)
    const item = (n: number) => ({
      payload: psbtOf({ root, inputs: inputs.slice(0, n), outputs: [{ to: PAYEE, amountSat: 500n }] }),
      path: [],
    })
    const judged = (...items: readonly ProposedItem[]) =>
      judge.judge({ requestId: requestId(1), terms: TERMS, keyId: 'k', payloadType: 'btc.psbt', items }, root)
    expect(judged(item(16), item(16)).digests).to.have.length(DIGESTS_MAX)
    expect(() => judged(item(16), item(17))).to.throw(/at most 32 signatures/)
  })

  it('judge: a payload that was decoded for one key is decoded anew for another', () => {
    const judge = new Judge({ clusterId, policies: { present: inForce(POLICY) } })
    const proposal = {
      requestId: requestId(1),
      terms: TERMS,
      keyId: 'k',
      payloadType: 'btc.psbt',
      items: [{ payload: psbtOf({ root }), path: [] }],
    }
    const other = { ...root, publicKey: fromHex('0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798') }
    expect(judge.judge(proposal, root).digests).to.have.length(2)
    expect(() => judge.judge(proposal, other)).to.throw(/not spent by this key/)
    expect(() => judge.judge({ ...proposal, payloadType: 'raw' }, root)).to.throw(/32 bytes/)
  })

  it('judge: what it knows of contracts and networks reaches the decoders', () => {
    const text = (judge: Judge) => {
      const payload = psbtOf({ root, outputs: [{ to: '1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH', amountSat: 1n }] })
      return judge.judge(
        { requestId: requestId(1), terms: TERMS, keyId: 'k', payloadType: 'btc.psbt', items: [{ payload, path: [] }] },
        root,
      ).verdict.reason
    }
    expect(text(new Judge({ clusterId, policies: { present: inForce(POLICY) } }))).to.match(/does not list destination 1BgGZ9/)
    expect(text(new Judge({ clusterId, policies: { present: inForce(POLICY) }, decoding: { bitcoinNetwork: 'regtest' } }))).to.match(
      /does not list destination mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r/,
    )
  })
})
