import { concat, type DerivationPath, fromHex, tagged, toHex, u32, utf8 } from '@conclave/core'
import { verifies } from '@conclave/mpc'
import {
  type Failure,
  type KeyCreated,
  type NodeStatus,
  type Propose,
  type ProposedItem,
  type RenewKey,
  type RequestTerms,
  type Response,
  type Signed,
  type SignedItem,
  timeBytes,
  type Verdict,
} from '@conclave/wire'
import { expect } from 'chai'
import { ALLOWED, type TestCluster } from './cluster.fixture.ts'

export const KEY = 'treasury-1'
export type Body = Response['body']

const DEADLINE_MS = 30_000
const POLL_MS = 10

/** Waits until `condition` holds; fails with `what` after a bounded time. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

const integer = (value: bigint): Uint8Array => {
  const hex = value === 0n ? '' : value.toString(16)
  return fromHex(hex.length % 2 === 0 ? hex : `0${hex}`)
}
/** RLP of a string below 56 bytes. */
const rlp = (bytes: Uint8Array): Uint8Array =>
  bytes.length === 1 && (bytes[0] as number) < 0x80 ? bytes : concat(Uint8Array.of(0x80 + bytes.length), bytes)

/** An unsigned EIP-1559 transfer. */
export function transfer(valueWei: bigint, change: { to?: string; chainId?: bigint; nonce?: bigint } = {}): Uint8Array {
  const { to = ALLOWED, chainId = 31337n, nonce = 0n } = change
  const amounts = [chainId, nonce, 1n, 10n, 21000n].map((v) => rlp(integer(v)))
  // No data, no access list.
  const body = concat(...amounts, rlp(fromHex(to.slice(2))), rlp(integer(valueWei)), Uint8Array.of(0x80, 0xc0))
  return concat(Uint8Array.of(0x02, 0xc0 + body.length), body)
}

export const requestId = (i: number): Uint8Array => tagged('test-request', u32(i))

function pick(body: Body, kind: string): unknown {
  expect(body, JSON.stringify(body)).to.have.property(kind)
  return (body as unknown as Record<string, unknown>)[kind]
}
export const failureIn = (body: Body): Failure => pick(body, 'failure') as Failure
export const verdictIn = (body: Body): Verdict => pick(body, 'verdict') as Verdict
export const signedIn = (body: Body): Signed => pick(body, 'signed') as Signed
export const createdIn = (body: Body): KeyCreated => pick(body, 'keyCreated') as KeyCreated
/** Its code, or what it is instead of a failure. */
export const codeIn = (body: Body): string => ('failure' in body ? body.failure.code : (Object.keys(body)[0] as string))

export async function statusOf(c: TestCluster, party: number): Promise<NodeStatus> {
  return pick(await c.ask(party, { status: {} }), 'status') as NodeStatus
}

export async function pairStateOf(c: TestCluster, party: number, peer: number): Promise<string | undefined> {
  return (await statusOf(c, party)).pairs.find((p) => p.peer === peer)?.state
}

/** Waits until the pairs among `parties` are ready at both ends. */
export async function pairsReady(c: TestCluster, parties: readonly number[] = c.parties()): Promise<void> {
  await until(`pairs among ${parties.join()} ready`, async () => {
    const all = await Promise.all(parties.map((j) => statusOf(c, j)))
    return all.every((s) => s.pairs.every((p) => !parties.includes(p.peer) || p.state === 'ready'))
  })
}

export function createKey(c: TestCluster, keyId = KEY, nonce = keyId): Promise<Body[]> {
  const parties = c.parties()
  const body = { keyId, nonce: tagged('nonce', utf8(nonce)), threshold: c.lock.quorum.required, parties }
  return Promise.all(parties.map((j) => c.ask(j, { createKey: body })))
}

/** Creates a key at all nodes and returns its public key. */
export async function newKey(c: TestCluster, keyId = KEY): Promise<Uint8Array> {
  const created = (await createKey(c, keyId)).map(createdIn)
  const first = created[0] as KeyCreated
  for (const k of created) expect(toHex(k.publicKey)).to.equal(toHex(first.publicKey))
  return first.publicKey
}

/** What a renewal of the cluster's key asks of its parties: a refresh from epoch 0 to 1, unless `change` says otherwise. */
export function renewal(c: TestCluster, change: Partial<RenewKey> = {}): RenewKey {
  const parties = c.parties()
  const { keyId = KEY, fromEpoch = 0, epoch = fromEpoch + 1 } = change
  const nonce = tagged('renewal', utf8(keyId), u32(epoch))
  return { keyId, nonce, kind: 'refresh', fromEpoch, epoch, threshold: c.lock.quorum.required, parties, dealers: parties, ...change }
}

/** Asks every participant for the same renewal. */
export function renew(c: TestCluster, renewKey: RenewKey): Promise<Body[]> {
  const participants = [...new Set([...renewKey.parties, ...renewKey.dealers])].sort()
  return Promise.all(participants.map((j) => c.ask(j, { renewKey })))
}

/** Of a request that nobody signed: it never ends. */
export const TERMS: RequestTerms = {
  ...{
    requester: 'tests',
    nonce: tagged('test-nonce'),
    notBefore: timeBytes(0),
    expiresAt: timeBytes(Number.MAX_SAFE_INTEGER),
    keyEpoch: 0,
  },
  signature: new Uint8Array(0),
}

/** A request for one signature, or for several. */
export function proposal(
  i: number,
  payload: Uint8Array | readonly ProposedItem[],
  { keyId = KEY, path = [] }: { keyId?: string | undefined; path?: DerivationPath | undefined } = {},
): Propose {
  const items = payload instanceof Uint8Array ? [{ payload, path }] : payload
  return { requestId: requestId(i), keyId, payloadType: 'evm.tx', items, terms: TERMS }
}

export function propose(
  c: TestCluster,
  i: number,
  parties: readonly number[],
  payload: Uint8Array | readonly ProposedItem[],
  options: { keyId?: string | undefined; path?: DerivationPath | undefined } = {},
): Promise<Body[]> {
  return Promise.all(parties.map((j) => c.ask(j, { propose: proposal(i, payload, options) })))
}

export function sign(c: TestCluster, i: number, signers: readonly number[], attempt = 0, epoch = 0): Promise<Body[]> {
  return Promise.all(signers.map((j) => c.ask(j, { sign: { requestId: requestId(i), attempt, signers, epoch } })))
}

/** Proposes a transfer of `i` wei to the signers and has them sign it. */
export async function signTransfer(
  c: TestCluster,
  i: number,
  signers: readonly number[],
  options: { attempt?: number; keyId?: string; path?: DerivationPath; epoch?: number } = {},
) {
  await propose(c, i, signers, transfer(BigInt(i)), options)
  return sign(c, i, signers, options.attempt, options.epoch)
}

/** All answered the same signatures, one for each key, and each verifies under its own. */
export function expectSignatures(bodies: readonly Body[], publicKeys: readonly Uint8Array[]): readonly SignedItem[] {
  const [first, ...others] = bodies.map(signedIn)
  const { items } = first as Signed
  for (const other of others) expect(other.items).to.deep.equal(items)
  expect(items).to.have.length(publicKeys.length)
  for (const [i, { digest, signature }] of items.entries())
    expect(verifies(publicKeys[i] as Uint8Array, digest, signature), `item ${i}`).to.equal(true)
  return items
}

/** All answered one signature, and it verifies. @returns it, hex. */
export function expectSignature(bodies: readonly Body[], publicKey: Uint8Array): string {
  return toHex((expectSignatures(bodies, [publicKey])[0] as SignedItem).signature)
}
