import {
  type ClusterLock,
  ConclaveError,
  fromHex,
  type IdentitySigner,
  InvalidArgument,
  messageOf,
  tagged,
  toHex,
  utf8,
  verifyIdentity,
} from '@conclave/core'
import { verifies } from '@conclave/mpc'
import { decodeDrill } from '@conclave/policy'
import { z } from 'zod'

const FORMAT = 'conclave-hsm-drill/1'
export const REPORT_CHARS_MAX = 64 * 1024

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`))
const line = z.string().max(512)
const Time = z.iso.datetime({ precision: 3 })

const Signature = z.strictObject({
  requestId: hex(32),
  signers: z.array(z.int().min(1).max(255)).max(16),
  /** Under which every signer held a share. */
  epoch: z.int().min(0),
  /** r || s. */
  signature: hex(64),
})

const Body = z.strictObject({
  format: z.literal(FORMAT),
  clusterId: hex(32),
  node: line,
  index: z.int().min(1).max(255),
  /** Out of service from `startedAt` until it was put back, before `endedAt`. */
  hsm: line,
  /** Those that were left, and how each stood when the drill began. */
  others: z.array(z.strictObject({ name: line, state: line })).max(8),
  keyId: line,
  /** 33 bytes. */
  publicKey: hex(33),
  startedAt: Time,
  endedAt: Time,
  /** Sealed records of the node: each was opened without the HSM. */
  recordsOpened: z.int().min(0),
  /** What was signed without the HSM: exact bytes of a payload of type drill. */
  payload: z.string().regex(/^([0-9a-f]{2}){1,512}$/),
  /** Null when no signature was made while the HSM was out. */
  signed: Signature.nullable(),
  /** The HSM is up again, and a record sealed and opened after that has a wrap of it. */
  restored: z.boolean(),
  /** Why it did not pass; null when it did. */
  problem: line.nullable(),
})

const Report = z.strictObject({
  ...Body.shape,
  identity: z.strictObject({ type: line, publicKey: line, signature: z.string().regex(/^([0-9a-f]{2}){1,128}$/) }),
})

export type DrillBody = z.output<typeof Body>
/** What a node says of a drill, signed by its identity. */
export type HsmDrillReport = z.output<typeof Report>

/** Every field in its place, so that the same report is the same bytes however its JSON was laid out. */
function messageOfBody(body: DrillBody): Uint8Array {
  const inOrder = Object.keys(Body.shape).map((name) => [name, body[name as keyof DrillBody]])
  return tagged('hsm-drill-report', utf8(JSON.stringify(inOrder)))
}

export const drillBody = (body: Omit<DrillBody, 'format'>): DrillBody => Body.parse({ format: FORMAT, ...body })

export async function signReport(body: DrillBody, { key, sign }: IdentitySigner): Promise<HsmDrillReport> {
  const signature = await sign(messageOfBody(body))
  return { ...body, identity: { type: key.type, publicKey: toHex(key.publicKey), signature: toHex(signature) } }
}

/** @throws {InvalidArgument} BAD_REPORT. */
export function parseReport(text: string): HsmDrillReport {
  try {
    if (text.length > REPORT_CHARS_MAX) throw new InvalidArgument('BAD_REPORT', `more than ${REPORT_CHARS_MAX} characters`)
    return Report.parse(JSON.parse(text))
  } catch (cause) {
    throw new InvalidArgument('BAD_REPORT', `not a report of a drill: ${messageOf(cause).replaceAll(/\s+/g, ' ').slice(0, 200)}`, {}, cause)
  }
}

function refuse(code: string, message: string): never {
  throw new ConclaveError(code, message)
}

/**
 * Whether a report is what this node of this cluster said, and whether what it says is true as far as it can be checked: the drill that was
 * signed is the one of the report, and the signature verifies under the key that the report names.
 *
 * @throws {ConclaveError} WRONG_CLUSTER, NOT_A_MEMBER, WRONG_SIGNATURE, WRONG_DRILL.
 */
export function verifyReport({ identity, ...body }: HsmDrillReport, lock: ClusterLock): void {
  if (body.clusterId !== lock.clusterId) refuse('WRONG_CLUSTER', 'the report is of another cluster than the lock')
  const member = lock.nodes.find((n) => n.name === body.node && n.index === body.index)
  if (member === undefined) refuse('NOT_A_MEMBER', `"${body.node}" (${body.index}) is not a node of the cluster lock`)
  if (!verifyIdentity(member.identity, messageOfBody(body), fromHex(identity.signature)))
    refuse('WRONG_SIGNATURE', `the report was not signed by the identity key of ${member.name} in the cluster lock`)
  const drill = decodeDrill(fromHex(body.payload))
  const isOwn = drill.clusterId === body.clusterId && drill.keyId === body.keyId && drill.node === body.node && drill.hsm === body.hsm
  if (!isOwn || new Date(drill.atMs).toISOString() !== body.startedAt)
    refuse('WRONG_DRILL', 'the payload is of another drill than the report')
  if (body.signed === null) return
  if (!body.signed.signers.includes(body.index)) refuse('WRONG_DRILL', 'the node was not among the signers')
  if (!verifies(fromHex(body.publicKey), drill.digest, fromHex(body.signed.signature)))
    refuse('WRONG_DRILL', 'the signature is not one of the drill under the key of the report')
}
