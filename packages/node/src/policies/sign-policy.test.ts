import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClusterLock, formatLock, fromHex, type PolicyAuthors, parseIdentityKey, signLock, tagged, toHex, u32 } from '@conclave/core'
import { openSignedPolicy, parsePolicy, policyHash } from '@conclave/policy'
import { peerIdOf, softIdentity } from '@conclave/transport'
import { expect } from 'chai'
import { refusal } from '../refusal.fixture.ts'
import { payText } from './authors.fixture.ts'
import { readSignedPolicy, signaturesFileOf, signPolicyFile } from './sign-policy.ts'

const NAMES = ['ada', 'ben', 'cem'] as const

async function lockOf(authors: PolicyAuthors | undefined, clusterId = toHex(tagged('test-cluster'))): Promise<string> {
  const identities = [1, 2].map((i) => softIdentity(tagged('node', u32(i))))
  let lock: ClusterLock = {
    ...{ version: 1, clusterId, previous: '', quorum: { required: 2, of: 2 } },
    nodes: identities.map(({ key }, i) => ({
      ...{ kind: 'node', index: i + 1, name: `n${i + 1}`, peerId: peerIdOf(key), addresses: [], identity: key },
      checkpointKeys: [softIdentity(tagged('checkpoint', u32(i))).key],
    })),
    ...{ coordinators: [], authors, signatures: new Map(), approvals: new Map() },
  }
  for (const identity of identities) lock = await signLock(lock, identity)
  return formatLock(lock)
}

describe('signing a policy file', () => {
  let dir: string
  let authors: PolicyAuthors
  const file = (name: string) => join(dir, name)
  const policyFile = () => file('policy.yaml')
  const sign = (who: string, change: Partial<Parameters<typeof signPolicyFile>[0]> = {}) =>
    signPolicyFile({
      ...{ file: policyFile(), hash: toHex(policyHash(parsePolicy(payText(3, 5)))), signaturesFile: signaturesFileOf(policyFile()) },
      ...{ lockFile: file('lock.json'), keyFile: file(`${who}.pem`), ...change },
    })

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'conclave-sign-policy-'))
    const hexOf = (key: KeyObject) => toHex(Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url'))
    const keys = []
    for (const name of [...NAMES, 'eve']) {
      const { privateKey, publicKey } = generateKeyPairSync('ed25519')
      await writeFile(file(`${name}.pem`), privateKey.export({ type: 'pkcs8', format: 'pem' }))
      if (name !== 'eve') keys.push({ name, key: parseIdentityKey('ed25519', fromHex(hexOf(publicKey))) })
    }
    authors = { required: 2, keys }
    await writeFile(file('lock.json'), await lockOf(authors))
    await writeFile(file('other-lock.json'), await lockOf(authors, toHex(tagged('another'))))
    await writeFile(file('bare-lock.json'), await lockOf(undefined))
  })
  beforeEach(async () => {
    await writeFile(policyFile(), payText(3, 5))
    await rm(signaturesFileOf(policyFile()), { force: true })
  })
  after(() => rm(dir, { recursive: true }))

  it('sign policy: each author adds his own, once, and the two of them are what a node takes', async () => {
    expect(await sign('ada')).to.deep.equal({ author: 'ada', signedBy: ['ada'], required: 2 })
    expect((await sign('ada')).signedBy).to.deep.equal(['ada'])
    expect((await sign('cem')).signedBy).to.deep.equal(['ada', 'cem'])
    const signed = await readSignedPolicy(policyFile(), signaturesFileOf(policyFile()))
    expect(openSignedPolicy(signed, { clusterId: tagged('test-cluster'), authors }).sequence).to.equal(3)
  })

  it('sign policy: nothing is signed by who is no author, without authors, or after the file has changed', async () => {
    expect(await refusal(() => sign('eve'))).to.equal('NOT_AN_AUTHOR')
    expect(await refusal(() => sign('ada', { lockFile: file('bare-lock.json') }))).to.equal('NO_POLICY_AUTHORS')
    expect(await refusal(() => sign('ada', { hash: '00'.repeat(32) }))).to.equal('POLICY_CHANGED')
    expect(await refusal(() => readFile(signaturesFileOf(policyFile())))).to.equal('INTERNAL')
  })

  it('sign policy: signatures of another text or cluster are not added to', async () => {
    await sign('ada')
    expect(await refusal(() => sign('ben', { lockFile: file('other-lock.json') }))).to.equal('POLICY_SIGNATURES_OTHER')
    await writeFile(policyFile(), `${payText(3, 5)}# a comment\n`)
    expect(await refusal(() => sign('ben'))).to.equal('POLICY_SIGNATURES_OTHER')
    expect(await refusal(() => readSignedPolicy(policyFile(), signaturesFileOf(policyFile())))).to.equal('POLICY_SIGNATURES_OTHER')
  })

  it('sign policy: what cannot be read is said by its file', async () => {
    expect(await refusal(() => readSignedPolicy(policyFile(), file('none')))).to.equal('POLICY_UNSIGNED')
    await writeFile(signaturesFileOf(policyFile()), '{}')
    expect(await refusal(() => sign('ada'))).to.equal('BAD_POLICY_SIGNATURES')
    await writeFile(policyFile(), Uint8Array.of(0xff))
    expect(await refusal(() => sign('ada'))).to.equal('BAD_POLICY')
    await rm(policyFile())
    expect(await refusal(() => sign('ada'))).to.equal('POLICY_UNREADABLE')
  })
})
