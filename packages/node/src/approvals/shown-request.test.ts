import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { codeOf, fromHex, mlDsa65Verifier, tagged, toHex } from '@conclave/core'
import { approvalHash, decodeStatement, encodeStatement, parsePolicy, type Statement } from '@conclave/policy'
import { expect } from 'chai'
import { ALLOWED, TestCluster } from '../cluster.fixture.ts'
import { refusal } from '../refusal.fixture.ts'
import { KEY, newKey, proposal, transfer, verdictIn } from '../requests.fixture.ts'
import type { AdminRequestDetails } from './approval-desk.ts'
import { approvalRoutes } from './approval-routes.ts'
import { approverSigner, makeApproverKey } from './approver-key.ts'
import { checkShown } from './shown-request.ts'

describe('shown request', () => {
  let cluster: TestCluster
  let dir: string
  let file: string
  let details: AdminRequestDetails
  const id = () => proposal(1, transfer(5n)).requestId

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'conclave-approver-'))
    file = join(dir, 'alice.pem')
    const alice = await makeApproverKey(file)
    cluster = await TestCluster.create(2, 2)
    const { type, publicKey } = cluster.member('n1').identity
    const policy = parsePolicy(`
version: 1
sequence: 1
approvers:
  - { id: alice, keys: ["${alice}"] }
  - { id: operator, groups: [operators], keys: ["${type}:${toHex(publicKey)}"] }
rules:
  - name: pay
    effect: allow
    when:
      { chains: [31337], destinations: ['${ALLOWED}'], amountMaxWei: '1000', approvals: { all: [{ required: 1, of: [operators] }, { required: 1, of: [alice] }] } }
`)
    await cluster.start(undefined, { policy })
    await newKey(cluster)
    expect(verdictIn(await cluster.ask(1, { propose: proposal(1, transfer(5n)) })).code).to.equal('PENDING_APPROVAL')
    details = await cluster.node('n1').approvals.show(id())
  })
  after(async () => {
    await cluster.close()
    await rm(dir, { recursive: true })
  })

  it('shown request: what the node says holds, and its statement is the one that is computed here', () => {
    const shown = checkShown(details, cluster.lock.clusterId, {})
    expect(toHex(shown.hash)).to.equal(details.statementHash)
    expect(shown.statement).to.include({ keyId: KEY, requester: 'tests' })
    expect(shown.summaries[0]?.some(({ value }) => value.includes(ALLOWED))).to.equal(true)
  })

  it('shown request: a statement of anything else than what is shown is refused', () => {
    const said = (change: (s: Statement) => Statement): AdminRequestDetails => ({
      ...details,
      statement: toHex(encodeStatement(change(decodeStatement(fromHex(details.statement))))),
    })
    const other = tagged('other')
    const item = (change: object) => said((s) => ({ ...s, items: s.items.map((i) => ({ ...i, ...change })) }))
    const lies: readonly AdminRequestDetails[] = [
      said((s) => ({ ...s, clusterId: other })),
      said((s) => ({ ...s, requestId: other })),
      said((s) => ({ ...s, keyId: 'other' })),
      said((s) => ({ ...s, payloadType: 'raw' })),
      said((s) => ({ ...s, items: [...s.items, ...s.items] })),
      item({ payloadHash: other }),
      item({ summaryHash: other }),
      item({ digests: [{ path: [], digest: other }] }),
      item({ digests: [{ path: [1], digest: decodeStatement(fromHex(details.statement)).items[0]?.digests[0]?.digest }] }),
      { ...details, items: details.items.map((i) => ({ ...i, payload: toHex(transfer(6n)) })) },
      { ...details, items: details.items.map((i) => ({ ...i, path: 'm/1' })) },
    ]
    for (const [i, lie] of lies.entries()) {
      let code = 'SHOWN'
      try {
        checkShown(lie, cluster.lock.clusterId, {})
      } catch (error) {
        code = codeOf(error)
      }
      expect(code, `lie ${i}`).to.equal('STATEMENT_MISMATCH')
    }
  })

  it('approval routes: a key in a file and the identity key of the node approve, each in its own name only', async () => {
    const routes = approvalRoutes(cluster.node('n1').approvals)
    const post = (path: string, body: unknown) => {
      const route = routes.find((r) => r.method === 'POST' && r.path.test(path))
      return route?.handle(route.path.exec(path)?.slice(1) ?? [], body) as Promise<{ isNew: boolean }>
    }
    const request = `/v1/requests/${toHex(id())}`
    const here = { statement: details.statementHash, decision: 'approve' }
    expect(await refusal(() => post(`${request}:decide`, { ...here, approver: 'alice' }))).to.equal('APPROVAL_SIGNATURE')
    const second = { atMs: 5, pq: '00'.repeat(3309) }
    expect(await refusal(() => post(`${request}:decide`, { ...here, approver: 'operator', second }))).to.equal('APPROVAL_PQ_SIGNATURE')
    expect(await post(`${request}:decide`, { ...here, approver: 'operator' })).to.deep.equal({ isNew: true })
    expect((await cluster.node('n1').approvals.show(id())).code).to.equal('PENDING_APPROVAL')

    const sign = await approverSigner(file)
    const word = { statement: fromHex(details.statementHash), decision: 'approve', approver: 'alice', atMs: 5 } as const
    const body = { ...here, approver: 'alice', atMs: 5, signature: toHex(sign(approvalHash(word))) }
    expect(await refusal(() => post(`${request}/approvals`, { ...body, atMs: 6 }))).to.equal('APPROVAL_SIGNATURE')
    expect(await refusal(() => post(`${request}/approvals`, { ...body, more: 1 }))).to.equal('BAD_BODY')
    expect(await post(`${request}/approvals`, body)).to.deep.equal({ isNew: true })
    expect(await post(`${request}/approvals`, body)).to.deep.equal({ isNew: false })
    expect((await cluster.node('n1').approvals.show(id())).code).to.equal('ALLOWED')
  })

  it('approver key: the file is its owner’s alone, is not made twice, and what is no key is refused without a word of it', async () => {
    expect((await stat(file)).mode & 0o777).to.equal(0o600)
    expect(await refusal(() => makeApproverKey(file))).to.equal('APPROVER_KEY_UNWRITABLE')
    expect(await refusal(() => approverSigner(join(dir, 'none')))).to.equal('APPROVER_KEY_UNREADABLE')
    const [pqFile, message] = [join(dir, 'pq'), tagged('message')]
    const text = await makeApproverKey(pqFile, 'ml-dsa-65')
    expect((await stat(pqFile)).mode & 0o777).to.equal(0o600)
    const isPqSigned = mlDsa65Verifier(fromHex(text.replace('mldsa65:', '')))
    expect(isPqSigned(message, (await approverSigner(pqFile, 'ml-dsa-65'))(message))).to.equal(true)
    for (const [other, type] of [
      [pqFile, 'ed25519'],
      [file, 'ml-dsa-65'],
    ] as const)
      expect(await refusal(() => approverSigner(other, type))).to.equal('BAD_APPROVER_KEY')
    const bad = join(dir, 'bad')
    await writeFile(bad, (await readFile(file, 'utf8')).slice(0, 60))
    const error = await approverSigner(bad).catch((e: unknown) => e)
    expect(codeOf(error)).to.equal('BAD_APPROVER_KEY')
    expect(JSON.stringify(error)).not.to.include('PRIVATE KEY')
  })
})
