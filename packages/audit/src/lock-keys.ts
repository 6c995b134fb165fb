import { type ClusterLock, ConfigError, type NodeMember } from '@conclave/core'
import { type CheckpointKeys, originOf } from './checkpoint.ts'
import type { NoteVerifier } from './note.ts'
import { cosignerVerifier, logVerifier } from './note-keys.ts'

const unique = (verifiers: readonly NoteVerifier[]): readonly NoteVerifier[] => [
  ...new Map(verifiers.map((v) => [`${v.name} ${v.keyId.join()}`, v])).values(),
]

/**
 * Keys by which the checkpoints of a node's log are judged, as the cluster locks have them: its own, and those of all other nodes for
 * cosignatures.
 *
 * @param options.nowS - seconds since the Unix epoch; cosignatures from the future are none.
 * @param options.pq - ML-DSA keys of the node, where it has them.
 * @throws {ConfigError} UNKNOWN_NODE.
 */
export function keysFromLocks(
  locks: readonly ClusterLock[],
  name: string,
  options: { required: number; nowS: number; pq?: readonly NoteVerifier[] },
): CheckpointKeys {
  const { required, nowS, pq = [] } = options
  const nodes: readonly NodeMember[] = locks.flatMap((l) => l.nodes)
  const clusterId = locks[0]?.clusterId ?? ''
  const own = nodes.filter((n) => n.name === name)
  if (own.length === 0) throw new ConfigError('UNKNOWN_NODE', `no node of the cluster lock is called "${name}"`)
  const origin = originOf(clusterId, name)
  const others = nodes.filter((n) => n.name !== name)
  return {
    origin,
    log: unique(own.flatMap((n) => n.checkpointKeys.map((key) => logVerifier(origin, key)))),
    cosigners: unique(others.flatMap((n) => n.checkpointKeys.map((key) => cosignerVerifier(originOf(clusterId, n.name), key, nowS)))),
    pq,
    required,
  }
}
