import type { ClusterLock } from '@conclave/core'
import type { ConnectionGater, PrivateKey } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { boundedYamux } from './bounded-yamux.ts'
import { frugalEncrypter } from './frugal.ts'
import { noisePrologue } from './hello.ts'
import { libp2pLogger } from './logger.ts'
import type { Tuning } from './tuning.ts'

/** The yamux specification's initial window; both sides assume it without saying so. */
const WINDOW_BYTES_INITIAL = 256 << 10
/** A ping waits behind at most this much of our stream. */
const WINDOW_BYTES_MAX = 1 << 20
/** Our stream and the pings of the connection monitor. */
const STREAMS_MAX = 16
/** Pings that queue up while our event loop is busy must not count as an attack: libp2p would cut the connection. */
const PINGS_MAX = 8
const CONNECTIONS_MAX = 128

export interface NodeInit {
  readonly lock: ClusterLock
  readonly privateKey: PrivateKey
  readonly listen: readonly string[]
  readonly gate: ConnectionGater
  readonly tuning: Tuning
}

export interface Node {
  readonly libp2p: Libp2p
  /** What the sockets listen on. libp2p's own list leaves out public addresses that nobody has confirmed from outside. */
  listening(): readonly Multiaddr[]
}

/** Members' fixed addresses never count against the limits for strangers; names (dns4) cannot be listed. */
function allowList(lock: ClusterLock): string[] {
  const addresses = [...lock.nodes, ...lock.coordinators].flatMap((m) => m.addresses)
  return addresses.filter((a) => /^\/ip[46]\//.test(a))
}

/** A libp2p node with noise bound to the lock, yamux and TCP, and no identify, discovery, relay or routing. Not started. */
export async function createNode({ lock, privateKey, listen, gate, tuning }: NodeInit): Promise<Node> {
  let listening: Node['listening'] = () => []
  const libp2p = await createLibp2p({
    start: false,
    privateKey,
    logger: libp2pLogger,
    addresses: { listen: [...listen] },
    transports: [
      (components) => {
        listening = () => components.transportManager.getAddrs()
        return tcp()(components)
      },
    ],
    connectionEncrypters: [(components) => frugalEncrypter(noise({ prologueBytes: noisePrologue(lock) })(components))],
    streamMuxers: [
      boundedYamux(
        {
          maxInboundStreams: STREAMS_MAX,
          maxOutboundStreams: STREAMS_MAX,
          streamOptions: { initialStreamWindowSize: WINDOW_BYTES_INITIAL, maxStreamWindowSize: WINDOW_BYTES_MAX },
        },
        WINDOW_BYTES_MAX,
      ),
    ],
    connectionGater: gate,
    connectionManager: {
      allow: allowList(lock),
      maxConnections: CONNECTIONS_MAX,
      maxIncomingPendingConnections: tuning.pendingConnectionsMax,
      inboundConnectionThreshold: tuning.connectionsPerSecondMax,
      inboundUpgradeTimeout: tuning.upgradeTimeoutMs,
      inboundStreamProtocolNegotiationTimeout: tuning.helloTimeoutMs,
      outboundStreamProtocolNegotiationTimeout: tuning.helloTimeoutMs,
      connectionCloseTimeout: tuning.closeTimeoutMs,
      dialTimeout: tuning.dialTimeoutMs,
      resolvers: {},
    },
    connectionMonitor: {
      pingInterval: tuning.pingIntervalMs,
      // Not adaptive: the average is over all peers, so one that is slow to die would make the others slow to be noticed.
      pingTimeout: { minTimeout: tuning.pingTimeoutMs, maxTimeout: tuning.pingTimeoutMs },
    },
    services: { ping: ping({ maxInboundStreams: PINGS_MAX, maxOutboundStreams: PINGS_MAX, timeout: tuning.pingTimeoutMs }) },
  })
  return { libp2p, listening: () => listening() }
}

/** An address of the lock with the peer id that must answer there. @throws when it is not a multiaddr. */
export function dialAddress(address: string, peerId: string): Multiaddr {
  return multiaddr(address).encapsulate(`/p2p/${peerId}`)
}
