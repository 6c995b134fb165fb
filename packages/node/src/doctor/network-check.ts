import type { Checkup } from '../checkup.ts'
import { type CheckResult, check, type Finding, finding, type Known, known, unknown } from './finding.ts'

export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** Host and port of a multiaddr such as /ip4/127.0.0.1/tcp/9100 or /dns4/a.example/tcp/9100; undefined of any other kind. */
export function endpointOf(multiaddr: string): Endpoint | undefined {
  const [, host, port] = /^\/(?:ip4|ip6|dns|dns4|dns6)\/([^/]+)\/tcp\/(\d{1,5})(?:\/|$)/.exec(multiaddr) ?? []
  return host === undefined || Number(port) > 65_535 ? undefined : { host, port: Number(port) }
}

export interface ListenFacts {
  /** Of the settings. */
  readonly listen: readonly string[]
  /** Addresses that this machine has. */
  readonly local: ReadonlySet<string>
  /** Ports of this machine that somebody listens on, by address; `0.0.0.0` and `::` are every address. */
  readonly taken: readonly Endpoint[]
}

const ANY = new Set(['0.0.0.0', '::'])
const isAddress = (host: string): boolean => /^[0-9.]+$|:/.test(host)

/** Whether the node can listen, or does. @param running - what the running node listens on; undefined when it does not run. */
export function listenFindings(
  { listen, local, taken }: ListenFacts,
  running: readonly string[] | undefined,
): readonly (Finding | undefined)[] {
  return listen.flatMap((multiaddr) => {
    const at = endpointOf(multiaddr)
    if (at === undefined) return []
    const isLocal = !isAddress(at.host) || ANY.has(at.host) || local.has(at.host) || at.host.startsWith('127.')
    const ours = running?.some((r) => endpointOf(r)?.port === at.port) === true
    const clash = taken.some((t) => t.port === at.port && (t.host === at.host || ANY.has(t.host) || ANY.has(at.host)))
    const line = 'p2p.listen in node.yaml (and the addresses of the next lock)'
    return [
      isLocal
        ? undefined
        : finding('LISTEN_NOT_LOCAL', multiaddr, `this machine has no address ${at.host}`, `set ${line} to an address of this machine`),
      clash && !ours && at.port !== 0
        ? finding(
            'LISTEN_IN_USE',
            multiaddr,
            `another process listens on port ${at.port}`,
            `find it with "ss -ltnp sport = :${at.port}" and stop it, or change ${line}`,
          )
        : undefined,
    ]
  })
}

export interface LockAddresses {
  readonly listen: readonly string[]
  /** Of this node, in the lock. */
  readonly announced: readonly string[]
}

/** Whether what the lock tells the others can lead here at all. */
export function announcedFindings({ listen, announced }: LockAddresses): readonly (Finding | undefined)[] {
  const ports = new Set(listen.flatMap((l) => endpointOf(l)?.port ?? []))
  const strange = announced.filter((a) => !ports.has(endpointOf(a)?.port ?? -1))
  if (announced.length === 0 || ports.has(0) || strange.length < announced.length) return []
  return [
    finding(
      'LOCK_PORT',
      strange.join(', '),
      `the others dial ${strange.join(', ')}, and this node listens on ${listen.join(', ')}`,
      'if no router forwards the one to the other: correct p2p.listen in node.yaml, or announce the right address in the next lock',
    ),
  ]
}

export interface Reach {
  readonly peer: string
  readonly addresses: readonly string[]
  /** Addresses where something accepted a connection. */
  readonly open: readonly string[]
}

const reachFindings = (reached: readonly Reach[]): readonly (Finding | undefined)[] =>
  reached
    .filter((r) => r.addresses.length > 0 && r.open.length === 0)
    .map(({ peer, addresses }) =>
      finding(
        'PEER_UNREACHABLE',
        peer,
        `nothing accepts connections at ${addresses.join(', ')}`,
        `ask the operator of ${peer} whether the node runs; look at the firewalls: nc -vz ${addresses
          .map((a) => endpointOf(a))
          .flatMap((e) => (e === undefined ? [] : [`${e.host} ${e.port}`]))
          .join('; nc -vz ')}`,
      ),
    )

/** Reasons that checks of their own tell about. */
const VERSIONED = new Set(['PROTOCOL_MISMATCH', 'LOCK_MISMATCH', 'CLUSTER_MISMATCH'])

export interface Links {
  readonly checkup: Checkup
  /** Signers needed, this node included. */
  readonly required: number
}

export function linkFindings({ checkup: { peers }, required }: Links): readonly (Finding | undefined)[] {
  const down = peers.filter((p) => !p.isLinkUp)
  const up = peers.length - down.length
  return [
    up + 1 < required
      ? finding(
          'QUORUM_OUT_OF_REACH',
          'cluster',
          `this node is linked to ${up} peers and ${required - 1} are needed to sign`,
          'start the peers that are down; see the findings about each',
        )
      : undefined,
    ...down
      .filter((p) => !VERSIONED.has(p.downReason ?? ''))
      .map((p) =>
        finding(
          'LINK_DOWN',
          p.name,
          `no link to ${p.name} (${p.downReason ?? 'not tried yet'})`,
          `start ${p.name}, and let both machines reach each other; docs/operations.md says what each reason means`,
        ),
      ),
  ]
}

export interface NetworkFacts {
  readonly listen: Known<ListenFacts>
  readonly announced: Known<LockAddresses>
  readonly reach: Known<readonly Reach[]>
  readonly checkup: Known<Checkup>
  readonly required: Known<number>
}

/** Ports, addresses and peers. */
export function checkNetwork({ listen, announced, reach, checkup, required }: NetworkFacts): readonly CheckResult[] {
  const running = checkup.known ? checkup.value.listen : undefined
  const links: Known<Links> = !checkup.known
    ? checkup
    : required.known
      ? known({ checkup: checkup.value, required: required.value })
      : unknown(required.why)
  return [
    check('listen addresses', listen, (facts) => listenFindings(facts, running)),
    check('addresses in the lock', announced, announcedFindings),
    check('peers reachable', reach, reachFindings),
    check('links', links, linkFindings),
  ]
}
