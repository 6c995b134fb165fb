import { createPrivateKey, sign } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConclaveApiError, signRequest } from '@conclave/client'
import type { AdminFreeze, AdminRequest } from '@conclave/node'
import { type LocalCluster, until } from '@conclave/testnet'
import { expect } from 'chai'
import { ETHER, SUPPLIER, useCluster } from '../rig/cluster.ts'
import { expectRefused, runConclave } from '../rig/command.ts'
import { createKey, expectSigned, payload, transfer } from '../rig/signing.ts'

const PEOPLE = ['exchange', 'alice', 'bob'] as const
type Person = (typeof PEOPLE)[number]

const policyOf = (keys: Readonly<Record<Person, string>>) => `version: 1
sequence: 1
requesters: [{ name: exchange, key: "${keys.exchange}" }]
approvers:
  - { id: alice, groups: [treasury], keys: ["${keys.alice}"] }
  - { id: bob, groups: [treasury], keys: ["${keys.bob}"] }
rules:
  - name: pay-with-two
    effect: allow
    when: { chains: [31337], destinations: ['${SUPPLIER}'], amountMaxWei: '${ETHER}', approvals: { required: 2, of: [treasury] } }
`

describe('approvals and freezes, at the command line', () => {
  const keys = {} as Record<Person, string>
  const keyFile = (cluster: LocalCluster, who: Person) => join(cluster.dirOf('zurich'), `${who}.pem`)
  const rig = useCluster({
    first: async (cluster) => {
      for (const who of PEOPLE) keys[who] = (await runConclave(['approver', 'keygen', '--out', keyFile(cluster, who)])).stdout.trim()
      for (const name of cluster.names) await writeFile(join(cluster.dirOf(name), 'policy.yaml'), policyOf(keys))
    },
  })
  let publicKey: string
  let signedId: string
  before(async () => {
    publicKey = await createKey(rig(), 'vault')
  })

  const dir = (name: string) => rig().cluster.dirOf(name)
  const inbox = async (name: string) =>
    JSON.parse((await runConclave(['inbox', '--dir', dir(name), '--json'])).stdout) as readonly AdminRequest[]
  const decide = (word: 'approve' | 'reject', name: string, request: string, who: Person) =>
    runConclave([word, '--dir', dir(name), '--request', request, '--as', who, '--key', keyFile(rig().cluster, who)])
  const asked = async () => {
    const key = createPrivateKey(await readFile(keyFile(rig().cluster, 'exchange')))
    const { clusterId } = rig().observer.lock
    const by = { clusterId, name: 'exchange', sign: (id: Uint8Array) => new Uint8Array(sign(null, id, key)) }
    return rig().cluster.client.requestSignature(await signRequest({ keyId: 'vault', payload: payload(transfer({ valueWei: 7n })) }, by))
  }
  const isIn = async (name: string, id: string) => (await inbox(name)).some((r) => r.requestId === id)

  it('approve: two people at two nodes, and the request is signed; who did not sign it cannot ask', async () => {
    const unsigned = await rig().cluster.client.requestSignature({ keyId: 'vault', payload: payload() })
    const denied = await rig()
      .cluster.client.waitForSignature(unsigned.requestId)
      .catch((error: unknown) => error)
    expect(denied).to.be.instanceOf(ConclaveApiError)
    expect((denied as ConclaveApiError).message).to.match(/REQUEST_UNSIGNED/)

    const { requestId } = await asked()
    for (const name of ['zurich', 'oslo']) await until(() => isIn(name, requestId), { timeoutMs: 30_000, what: `the inbox of ${name}` })
    const shown = await runConclave(['show', '--dir', dir('oslo'), '--request', requestId])
    expect(shown.stdout).to.include(SUPPLIER).and.to.include('PENDING_APPROVAL')
    expect((await decide('approve', 'zurich', requestId, 'alice')).stdout).to.match(/approved as alice\n$/)
    expect((await decide('approve', 'zurich', requestId, 'alice')).stdout).to.match(/alice had approved it before\n$/)
    expect((await decide('approve', 'oslo', requestId, 'bob')).exitCode).to.equal(0)
    expectSigned(await rig().cluster.client.settled(requestId), publicKey)
    expect(await inbox('zurich')).to.deep.equal([])
    signedId = requestId
  })

  it('receipt: from a node and from the coordinator, verified offline with the lock; changed, it is refused', async () => {
    const at = (name: string) => join(dir('zurich'), name)
    const [lock, policy] = [at('cluster.lock.json'), at('policy.yaml')]
    const get = () => runConclave(['receipt', 'get', signedId, '--dir', dir('lisbon')])
    const verify = (file: string, ...more: readonly string[]) => runConclave(['receipt', 'verify', file, '--lock', lock, ...more])
    let text = ''
    const isThere = async () => {
      const { exitCode, stdout, stderr } = await get()
      if (exitCode !== 0) expect(stderr).to.match(/RECEIPT_NOT_READY/)
      text = stdout
      return exitCode === 0
    }
    await until(isThere, { timeoutMs: 60_000, what: 'a receipt at lisbon' })
    await writeFile(at('receipt.json'), text)
    const { exitCode, stdout } = await verify(at('receipt.json'), '--policy', policy)
    expect(exitCode).to.equal(0)
    for (const word of ['alice approved it', 'bob approved it', 'exchange signed', 'by rule pay-with-two', 'held the approvals', SUPPLIER])
      expect(stdout).to.include(word)
    const said = JSON.parse((await verify(at('receipt.json'), '--json')).stdout) as { requestId: string; signers: readonly unknown[] }
    expect(said.requestId).to.equal(signedId)
    expect(said.signers).to.have.length(2)

    await writeFile(at('from-api.json'), await rig().cluster.client.receipt(signedId))
    expect((await verify(at('from-api.json'))).exitCode).to.equal(0)
    await writeFile(at('changed.json'), text.replace('"approver":"alice"', '"approver":"bob"'))
    expectRefused(await verify(at('changed.json')), 'RECEIPT_APPROVAL')
    expectRefused(await runConclave(['receipt', 'get', '00'.repeat(32), '--dir', dir('lisbon')]), 'NO_RECEIPT')
  })

  it('reject: one no ends it, which the command that asked hears as well', async () => {
    const { url, apiKey } = rig().cluster
    const [file, lock] = [join(dir('zurich'), 'payment'), join(dir('zurich'), 'cluster.lock.json')]
    await writeFile(file, transfer({ valueWei: 8n }))
    const api = ['--url', url]
    const as = ['--as', 'exchange', '--request-key', keyFile(rig().cluster, 'exchange'), '--lock', lock]
    const waits = await runConclave(['sign', 'evm-tx', '--key', 'vault', '--in', file, ...as, ...api], { CONCLAVE_API_KEY: apiKey })
    expect(waits.exitCode, waits.stderr).to.equal(3)
    const requestId = waits.stdout.trim()
    const approvals = await runConclave(['request', 'approvals', '--request', requestId, ...api, '--json'], { CONCLAVE_API_KEY: apiKey })
    expect(JSON.parse(approvals.stdout)[0].statement).to.include({ requester: 'exchange' })
    await until(() => isIn('lisbon', requestId), { timeoutMs: 30_000, what: 'the inbox' })
    expectRefused(await decide('approve', 'lisbon', requestId, 'exchange'), 'UNKNOWN_APPROVER')
    expect((await decide('reject', 'lisbon', requestId, 'bob')).exitCode).to.equal(0)
    expect((await rig().cluster.client.settled(requestId)).state).to.equal('rejected')
    const ended = await runConclave(['request', 'wait', '--request', requestId, ...api], { CONCLAVE_API_KEY: apiKey })
    expect([ended.exitCode, ended.stdout]).to.deep.equal([4, ''])
    expect(ended.stderr.trimEnd()).to.match(/\(REJECTED\)$/)
  })

  it('freeze, thaw: an approver stops all nodes, and two operators let them go on', async () => {
    const freeze = ['freeze', '--scope', 'key:vault', '--reason', 'drill', '--json']
    const alice = ['--as', 'alice', '--key', keyFile(rig().cluster, 'alice')]
    const { id } = JSON.parse((await runConclave([...freeze, '--dir', dir('zurich'), ...alice])).stdout) as AdminFreeze
    const freezes = async (name: string) =>
      JSON.parse((await runConclave(['freezes', '--dir', dir(name), '--json'])).stdout) as readonly AdminFreeze[]
    const isActive = async (name: string) => (await freezes(name)).some((f) => f.id === id && f.isActive)
    await until(() => isActive('lisbon'), { timeoutMs: 30_000, what: 'the freeze at lisbon' })
    const { requestId } = await asked()
    expect((await rig().cluster.client.settled(requestId)).error?.nodeVerdicts?.map((v) => v.code)).to.include('FROZEN')
    for (const name of ['oslo', 'lisbon'])
      expect((await runConclave(['thaw', '--dir', dir(name), '--freeze', id, '--reason', 'drill over'])).exitCode).to.equal(0)
    await until(async () => !(await isActive('zurich')), { timeoutMs: 30_000, what: 'the thaw at zurich' })
  })
})
