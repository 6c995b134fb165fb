import { conclave, type LocalCluster } from '@conclave/testnet'

interface Session {
  readonly requestId: string
  readonly digests: readonly string[]
}

interface LogLine {
  readonly kind: string
  readonly details: { readonly sid: string; readonly requestId: string; readonly digests: readonly string[] }
}

/** What the logs of the nodes say was signed. */
export interface Testimony {
  /** Requests that some node has a complete signature of. */
  readonly signed: ReadonlySet<string>
  /** Digests that were signed for more than one request, and requests for which different digests were signed. */
  readonly signedTwice: number
  /** Requests that were signed in more than one attempt, over the same digests: an attempt of a killed coordinator comes true beside the next. */
  readonly signedAgain: number
}

/** Counts by the audit logs of all nodes, which coordinators cannot write. */
export async function testimonyOf(cluster: LocalCluster): Promise<Testimony> {
  const sessions = new Map<string, Session>()
  const complete = new Set<string>()
  for (const name of cluster.names) {
    const shown = await conclave('audit', 'show', '--dir', cluster.dirOf(name), '--kind', 'session.', '--json')
    for (const line of shown.split('\n').filter((l) => l !== '')) {
      const { kind, details } = JSON.parse(line) as LogLine
      if (kind === 'session.started') sessions.set(details.sid, { requestId: details.requestId, digests: details.digests })
      if (kind === 'session.signed') complete.add(details.sid)
    }
  }
  return judge([...sessions].filter(([sid]) => complete.has(sid)).map(([, session]) => session))
}

export function judge(signed: readonly Session[]): Testimony {
  const byRequest = Map.groupBy(signed, (s) => s.requestId)
  const requestsOf = Map.groupBy(
    signed.flatMap(({ requestId, digests }) => digests.map((digest) => ({ digest, requestId }))),
    (s) => s.digest,
  )
  const doubtful = [...requestsOf.values()].filter((uses) => new Set(uses.map((u) => u.requestId)).size > 1)
  const mixed = [...byRequest.values()].filter((sessions) => new Set(sessions.map((s) => s.digests.join())).size > 1)
  const again = [...byRequest.values()].filter((sessions) => sessions.length > 1)
  return { signed: new Set(byRequest.keys()), signedTwice: doubtful.length + mixed.length, signedAgain: again.length }
}
