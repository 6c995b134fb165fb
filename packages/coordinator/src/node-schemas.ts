import { type Static, Type } from 'typebox'
import { hexBytes, OrNull, Time } from './schemas.ts'

const NodeReport = Type.Object(
  {
    version: Type.String(),
    hsmOk: Type.Boolean({ description: 'at least one HSM is up' }),
    hsms: Type.Array(
      Type.Object({
        name: Type.String(),
        state: Type.String({ description: 'up, down, refused (waits for a person) or out (taken out by its operator)' }),
        since: Time,
        lastCode: OrNull(Type.String({ description: 'of its last failure, however long ago' })),
        failures: Type.Integer(),
        latencyMs: Type.Number({ description: 'median of its last answers' }),
        missed: Type.Integer({ description: 'records sealed without it since the node started' }),
        short: Type.Integer({ description: 'records of the node that it cannot open, because it is no recipient' }),
      }),
    ),
    bytesSent: Type.Number(),
    bytesReceived: Type.Number(),
    /** Delay of the node's event loop since it was last asked, in microseconds. */
    loopP99Us: Type.Integer(),
    loopMaxUs: Type.Integer(),
    cpuMs: Type.Integer(),
    keys: Type.Array(
      Type.Object({
        keyId: Type.String(),
        epoch: Type.Integer(),
        publicKey: hexBytes(33),
        state: Type.String(),
        /** Null without a backup; other than `epoch`, the present share is in none. */
        lastBackupEpoch: OrNull(Type.Integer()),
      }),
    ),
    pairs: Type.Array(
      Type.Object({
        peer: Type.Integer(),
        pairEpoch: Type.Integer(),
        state: Type.String(),
        code: OrNull(Type.String({ description: 'the failed check, when burned' })),
        stock: Type.Integer({ description: 'correlations that are ready for signing' }),
      }),
    ),
    /** What has become of correlations since the node started, all peers together. */
    pool: Type.Object({
      made: Type.Integer(),
      used: Type.Integer(),
      missed: Type.Integer({ description: 'wanted for a signature, and not there' }),
      mismatched: Type.Integer({ description: 'named by a peer, and not held by the node' }),
      dropped: Type.Integer({ description: 'wiped without having been used' }),
      refills: Type.Integer({ description: 'sessions that made some' }),
      declined: Type.Integer(),
      failed: Type.Integer(),
    }),
    clockOffsetMs: Type.Number({ description: 'how far its clock was ahead of that of the coordinator' }),
    freezes: Type.Integer({ description: 'in effect there' }),
    policySequence: Type.Integer({ description: 'of the policy in force there' }),
    audit: Type.Object(
      {
        entries: Type.Integer(),
        checkpointEntries: Type.Integer({ description: 'that its last checkpoint covers' }),
        cosigners: Type.Integer({ description: 'other nodes that have cosigned it' }),
      },
      { description: 'of its log' },
    ),
    reportedAt: Time,
  },
  { title: 'NodeReport' },
)
export const NodeBody = Type.Object(
  {
    index: Type.Integer(),
    name: Type.String(),
    peerId: Type.String(),
    link: Type.Object({
      up: Type.Boolean(),
      bytesSent: Type.Number(),
      bytesReceived: Type.Number(),
      reconnects: Type.Integer(),
      roundTripMs: OrNull(Type.Number()),
    }),
    availability: Type.Object({
      /** Whether there is a quorum with this node in it. */
      able: Type.Boolean(),
      /** LINK_DOWN, LEAVING, NO_REPORT, HSM_DOWN, AUDIT_LOG, PAIR_BURNED, PAIR_MISSING, NO_SHARE, KEY_STALE, SHORT; some leave it able. */
      reasons: Type.Array(Type.Object({ code: Type.String(), detail: Type.String() })),
    }),
    /** What the node last said of itself, which may be from before its link went down. */
    status: OrNull(NodeReport),
  },
  { title: 'Node' },
)
export type NodeBody = Static<typeof NodeBody>
export const NodeListBody = Type.Object({ items: Type.Array(NodeBody) }, { title: 'NodeList' })
