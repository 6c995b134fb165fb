import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError, fromHex, InvalidArgument, messageOf, parseKeyId, parsePath, toHex } from '@conclave/core'
import { type Policy, parsePolicy, policyChanges, policyHash, policyLines, policyText, type SignedPolicy } from '@conclave/policy'
import { askAdmin } from '../admin-client.ts'
import { SETTINGS_FILE } from '../init.ts'
import { readSettings } from '../settings.ts'
import type { AdminPolicy } from './policy-keeper.ts'
import { type ReplayPage, simulateOffline, type TrialVerdict } from './policy-trials.ts'
import { readPolicyFile } from './sign-policy.ts'

const settingsOf = (dir: string) => readSettings(join(dir, SETTINGS_FILE))

/** The lock file that the node of this directory runs under. */
export const lockFileOf = (dir: string): string => settingsOf(dir).lockFile

/** Which policy is in force at the node of this directory, and at its peers. */
export async function readPolicyStatus(dir: string): Promise<AdminPolicy> {
  return (await askAdmin(settingsOf(dir).adminSocket, '/v1/policy')) as AdminPolicy
}

/** The signed policy that a node obeys; undefined when it has none. */
async function readPolicyInForce(dir: string): Promise<Policy | undefined> {
  const { text } = (await askAdmin(settingsOf(dir).adminSocket, '/v1/policy/text')) as { text: string | null }
  return text === null ? undefined : parsePolicy(policyText(new Uint8Array(Buffer.from(text, 'base64'))))
}

/** Hands a policy to the own node, which hands it on. @throws {ConclaveError} what {@link PolicyKeeper.submit} throws. */
export async function submitPolicy(
  dir: string,
  { sequence, policyHash, text, signatures }: SignedPolicy,
): Promise<{ readonly isNew: boolean; readonly status: AdminPolicy }> {
  const body = {
    ...{ sequence, policyHash: toHex(policyHash), text: Buffer.from(text).toString('base64') },
    signatures: signatures.map((s) => ({ author: s.author, signature: toHex(s.signature) })),
  }
  return (await askAdmin(settingsOf(dir).adminSocket, '/v1/policy:submit', body)) as { isNew: boolean; status: AdminPolicy }
}

/** What a person looks at before he signs a policy, or after. */
export interface PolicyPage {
  readonly sequence: number
  /** Hex. */
  readonly hash: string
  /** Sequence of the policy that it is compared with; null without one. */
  readonly against: number | null
  /** What it says; compared with another, what it changes. */
  readonly lines: readonly string[]
}

/**
 * @param against - another file; with `dir` instead, the signed policy of that node.
 * @throws {ConfigError} POLICY_UNREADABLE, BAD_POLICY; what the node answers.
 */
export async function policyPage(file: string, { against, dir }: { against?: string; dir?: string }): Promise<PolicyPage> {
  const { policy } = await readPolicyFile(file)
  const named = against === undefined ? undefined : (await readPolicyFile(against)).policy
  const before = named ?? (dir === undefined ? undefined : await readPolicyInForce(dir))
  const lines = before === undefined ? policyLines(policy) : policyChanges(before, policy)
  return { sequence: policy.sequence, hash: toHex(policyHash(policy)), against: before?.sequence ?? null, lines }
}

export interface Simulation {
  /** Of a running node; without one, `policyFile` is asked here, and nothing was spent before. */
  readonly dir: string | undefined
  readonly policyFile: string | undefined
  /** The bytes, or their hexadecimal digits with nothing else. */
  readonly payloadFile: string
  readonly payloadType: string
  readonly keyId: string
  readonly path: string
  readonly requester: string | undefined
  readonly approvedBy: readonly string[]
  readonly atMs: number | undefined
  readonly nowMs: number
}

const HEX_TEXT = /^\s*(0x)?(([0-9a-fA-F]{2})+)\s*$/

/** @throws {ConfigError} PAYLOAD_UNREADABLE. */
async function readPayload(file: string): Promise<Uint8Array> {
  let bytes: Uint8Array
  try {
    bytes = new Uint8Array(await readFile(file))
  } catch (cause) {
    throw new ConfigError('PAYLOAD_UNREADABLE', `cannot read the payload ${file}: ${messageOf(cause)}`, { file }, cause)
  }
  const [, , digits] = HEX_TEXT.exec(Buffer.from(bytes).toString('latin1')) ?? []
  return digits === undefined ? bytes : fromHex(digits.toLowerCase())
}

/** Would this pass, and by which rule? @throws {InvalidArgument} BAD_OPTIONS, KEY_NEEDED, BAD_PATH; what the node answers. */
export async function simulatePolicy({ dir, policyFile, payloadFile, nowMs, ...trial }: Simulation): Promise<TrialVerdict> {
  const payload = await readPayload(payloadFile)
  const file = policyFile === undefined ? undefined : await readPolicyFile(policyFile)
  if (dir === undefined) {
    if (file === undefined) throw new InvalidArgument('BAD_OPTIONS', 'name a node by --dir, or a policy by --policy')
    return simulateOffline(file.policy, { ...trial, keyId: parseKeyId(trial.keyId), path: parsePath(trial.path), payload }, nowMs)
  }
  const policy = file === undefined ? {} : { policy: Buffer.from(file.bytes).toString('base64') }
  const body = { ...trial, payload: Buffer.from(payload).toString('base64'), ...policy }
  return (await askAdmin(settingsOf(dir).adminSocket, '/v1/policy:simulate', body)) as TrialVerdict
}

/** Pages of which a replay asks at most, so that no node keeps it going for ever. */
const REPLAY_PAGES_MAX = 100_000

/** What would have been answered otherwise, page by page, in the order of request ids. */
export async function* replayPolicy(
  dir: string,
  file: string,
  { fromMs, toMs }: { fromMs: number; toMs: number },
): AsyncGenerator<ReplayPage> {
  const { bytes } = await readPolicyFile(file)
  const asked = { policy: Buffer.from(bytes).toString('base64'), fromMs, toMs }
  const { adminSocket } = settingsOf(dir)
  let after: string | null = ''
  for (let i = 0; i < REPLAY_PAGES_MAX && after !== null; i++) {
    const page = (await askAdmin(adminSocket, '/v1/policy:replay', { ...asked, after })) as ReplayPage
    yield page
    after = page.next
  }
}
