import { codeOf, type ExtendedKey, formatPath, messageOf, parseKeyId, parsePath, toHex } from '@conclave/core'
import type { Decoding } from '@conclave/policy'
import { DIGESTS_MAX } from '@conclave/wire'
import type { Caller } from './api-keys.ts'
import type { ChildKeyStore } from './child-key-store.ts'
import { childKey } from './child-keys.ts'
import { extendedKeyOf } from './key-creation.ts'
import { checkPayloadsLength, readPayload, summarizeSigner } from './payload.ts'
import { ApiError, isProblemCode } from './problem.ts'
import { digestsOf, type KeyRecord, type SigningItem, type SigningRecord } from './records.ts'
import { nameRequest } from './request-terms.ts'
import type { RouteContext } from './routes.ts'
import type { CreateSigningBody } from './signing-schemas.ts'
import { ownKey } from './tenancy.ts'

type AskedItem = NonNullable<CreateSigningBody['items']>[number]

/** @throws {ApiError} BAD_BODY. */
function askedItems({ payload, derivationPath, items }: CreateSigningBody): readonly AskedItem[] {
  if ((payload === undefined) === (items === undefined)) throw new ApiError('BAD_BODY', 'body: either payload or items')
  if (payload !== undefined) return [derivationPath === undefined ? { payload } : { payload, derivationPath }]
  if (derivationPath !== undefined) throw new ApiError('BAD_BODY', 'body: with items, each has a derivationPath of its own')
  const asked = items as readonly AskedItem[]
  if (asked.some((item) => item.payload.type !== asked[0]?.payload.type))
    throw new ApiError('BAD_BODY', 'body.items: all of one payload type')
  return asked
}

/** @throws {ApiError} what {@link readPayload} throws; {InvalidArgument} BAD_PATH. */
function newItem(key: ExtendedKey, decoding: Decoding, { payload, derivationPath = 'm' }: AskedItem): SigningItem {
  const path = parsePath(derivationPath)
  const { publicKey } = childKey(key, path)
  const { digests, summary } = readPayload(payload, path, { ...decoding, key })
  const said = [...summarizeSigner(payload.type, path, publicKey), ...summary]
  const signings = digests.map((d) => ({
    derivationPath: formatPath(d.path),
    publicKey: toHex(childKey(key, d.path).publicKey),
    digest: toHex(d.digest),
  }))
  return { derivationPath: formatPath(path), publicKey: toHex(publicKey), payload, digests: signings, summary: said }
}

/** What is wrong with one item of several says with which. */
function newItems(record: KeyRecord, decoding: Decoding, asked: readonly AskedItem[]): readonly SigningItem[] {
  checkPayloadsLength(asked.map((item) => item.payload))
  const key = extendedKeyOf(record)
  const items = asked.map((item, i) => {
    try {
      return newItem(key, decoding, item)
    } catch (cause) {
      const code = codeOf(cause)
      if (asked.length === 1 || !isProblemCode(code)) throw cause
      throw new ApiError(code, `item ${i + 1} of ${asked.length}: ${messageOf(cause)}`, { cause })
    }
  })
  if (digestsOf({ items }).length > DIGESTS_MAX) throw new ApiError('TOO_MANY_SIGNATURES', `at most ${DIGESTS_MAX} signatures in a request`)
  return items
}

/** A child that was taken out of use signs nothing any more, and nothing below it. @throws {ApiError} CHILD_INACTIVE. */
async function refuseInactive(children: ChildKeyStore, keyId: string, items: readonly SigningItem[]): Promise<void> {
  const paths = new Set(items.flatMap((item) => [item.derivationPath, ...item.digests.map((d) => d.derivationPath)]))
  const above = [...paths].flatMap((path) => path.split('/').map((_, i, levels) => levels.slice(0, i + 1).join('/')))
  const inactive = await children.inactiveAmong(keyId, [...new Set(above)])
  if (inactive !== undefined) throw new ApiError('CHILD_INACTIVE', `child ${inactive.path} of key ${keyId} is ${inactive.state}`)
}

/**
 * The record of a request that a body asks for. Nothing is kept.
 *
 * @param caller - the API key that asks.
 * @throws {ApiError} BAD_BODY, KEY_NOT_FOUND, TOO_MANY_SIGNATURES, PAYLOAD_TOO_LARGE, CHILD_INACTIVE, and what reading the payloads throws;
 * {InvalidArgument} BAD_KEY_ID, BAD_PATH.
 */
export async function newSigning(ctx: RouteContext, body: CreateSigningBody, { name: requester, tenant }: Caller): Promise<SigningRecord> {
  const { clock, random, decoding, signing } = ctx
  const asked = askedItems(body)
  const keyId = parseKeyId(body.keyId)
  const key = await ownKey(ctx, tenant, keyId)
  const items = newItems(key, decoding, asked)
  await refuseInactive(ctx.children, keyId, items)
  const createdAtMs = clock.nowMs()
  const latestMs = createdAtMs + (body.deadlineMs ?? signing.deadlineMs)
  const deadlineAtMs = Math.min(latestMs, body.signed?.expiresAtMs ?? latestMs)
  const made = { keyId, keyEpoch: key.epoch, items, caller: requester, nowMs: createdAtMs, deadlineAtMs, random }
  const { requestId, terms } = nameRequest({ clusterId: ctx.lock.clusterId, body, ...made })
  return {
    requestId,
    tenant,
    keyId,
    items,
    requester,
    terms,
    state: 'decoded',
    cancelRequested: false,
    nodeVerdicts: [],
    attempts: [],
    result: null,
    error: null,
    createdAtMs,
    deadlineAtMs,
    endedAtMs: null,
  }
}
