import type { PartyId } from '@conclave/core'
import type { ClusterView } from './cluster-view.ts'
import { ApiError } from './problem.ts'
import type { KeyRecord, SigningRecord, SigningState } from './records.ts'
import { activeKey } from './sharings.ts'
import type { VerdictBook } from './verdict-book.ts'

function denials(view: ClusterView, book: VerdictBook): readonly string[] {
  return book.verdicts().flatMap((v) => (v.allowed ? [] : [`${view.nameOf(v.node)} ${v.code} (${v.reason})`]))
}

/** How a request that was denied ends: in one line with every node's own reason. */
export function describeDenials(view: ClusterView, key: KeyRecord, book: VerdictBook): [SigningState, ApiError] {
  const said = denials(view, book)
  const line = `denied by ${said.length} of ${key.parties.length} nodes, and ${key.threshold} must allow: ${said.join('; ')}`
  return book.isRejected() ? ['rejected', new ApiError('REJECTED', line)] : ['denied', new ApiError('POLICY_DENIED', line)]
}

/** What a request was waiting for when its time was over. */
export function describeMissing(view: ClusterView, book: VerdictBook): ApiError {
  return new ApiError('APPROVALS_MISSING', `not enough approvals in time: ${denials(view, book).join('; ')}`)
}

/** What stands between the request and a quorum, in one line. */
export function describeShortage(view: ClusterView, key: KeyRecord, book: VerdictBook): ApiError {
  const able = book.allowing()
  const names = (parties: readonly PartyId[]) => parties.map((p) => view.nameOf(p)).join(', ')
  const denied = book.verdicts().filter((v) => !v.allowed)
  const silent = key.parties.filter((p) => view.isUp(p) && !able.includes(p) && !denied.some((v) => v.node === p))
  const pairs = able.flatMap((a, i) => able.slice(i + 1).map((b) => ({ a, b, pair: view.pair(a, b) })))
  const missing = pairs.flatMap(({ a, b, pair }) => (pair.state === 'missing' ? [`${names([a])}-${names([b])}`] : []))
  const burned = pairs.flatMap(({ a, b, pair }) =>
    pair.state === 'burned' ? [`${names([a])} and ${names([b])}: burned (${pair.code})`] : [],
  )
  const down = view.downNames(key.parties)
  const epochs = able.map((p) => ({ name: names([p]), epoch: activeKey(view.report(p)?.status, key.keyId)?.epoch }))
  const isSplit = new Set(epochs.map((e) => e.epoch)).size > 1
  const parts = [
    `key ${key.keyId} needs ${key.threshold} of ${key.parties.length} nodes; able: ${able.length}${able.length > 0 ? ` (${names(able)})` : ''}`,
    ...(down.length > 0 ? [`down: ${down.join(', ')}`] : []),
    ...(silent.length > 0 ? [`no verdict: ${names(silent)}`] : []),
    ...(denied.length > 0 ? [`denied: ${denials(view, book).join(', ')}`] : []),
    ...(isSplit ? [`epochs: ${epochs.map((e) => `${e.name} ${e.epoch ?? 'none'}`).join(', ')}`] : []),
    ...(missing.length > 0 ? [`pairs not ready: ${missing.join(', ')}`] : []),
    ...burned,
  ]
  return new ApiError('QUORUM_UNREACHABLE', parts.join('; '))
}

/** How far the attempts got, in one line. */
export function describeAttempts(view: ClusterView, record: SigningRecord): string {
  const last = record.attempts.at(-1)
  if (last === undefined) return 'no attempt was started in time: too many requests were queued before this one'
  const names = (parties: readonly PartyId[]) => parties.map((p) => view.nameOf(p)).join(', ')
  const why = [
    last.code ?? 'no code',
    ...(last.culprits.length > 0 ? [`blamed: ${names(last.culprits)}`] : []),
    ...(last.waitingFor.length > 0 ? [`waited for: ${names(last.waitingFor)}`] : []),
  ]
  return `${record.attempts.length} attempts, none signed; the last one with ${names(last.signers)}: ${why.join('; ')}`
}
