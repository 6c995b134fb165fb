import { type PartyId, toHex } from '@conclave/core'
import { memoryVault } from '@conclave/vault'
import { decode, type KeyPublic, type NodeStatus, StoredBurn, StoredKey } from '@conclave/wire'
import { baseTimes, ORDER } from './group.ts'
import { poolsAreInOrder } from './pool-book.ts'
import type { Probe } from './probe.ts'
import { type SimNode, WATER_MARKS } from './sim-node.ts'
import type { World } from './world.ts'

const mod = (a: bigint): bigint => ((a % ORDER) + ORDER) % ORDER

function inverse(a: bigint): bigint {
  let [r0, r1, s0, s1] = [ORDER, mod(a), 0n, 1n]
  while (r1 !== 0n) {
    const ratio = r0 / r1
    ;[r0, r1, s0, s1] = [r1, r0 - ratio * r1, s1, s0 - ratio * s1]
  }
  return mod(s0)
}

/** The value at 0 of the polynomial through these points. */
export function interpolate(points: ReadonlyMap<PartyId, bigint>): bigint {
  let sum = 0n
  for (const [i, y] of points) {
    let [numerator, denominator] = [1n, 1n]
    for (const j of points.keys()) {
      if (j === i) continue
      numerator = mod(numerator * BigInt(j))
      denominator = mod(denominator * (BigInt(j) - BigInt(i)))
    }
    sum = mod(sum + y * numerator * inverse(denominator))
  }
  return sum
}

export interface OpenShare {
  readonly value: bigint
  readonly threshold: number
}

/** The shares that lie ready for signing on a node's disk, by epoch. Only a simulator may open them. */
export async function sharesOf(world: World, node: SimNode, keyId: string): Promise<ReadonlyMap<number, OpenShare>> {
  const vault = await memoryVault({ devices: [node.device] })
  const shares = new Map<number, OpenShare>()
  for (const { value } of node.image.list('key')) {
    const { certificate, sealed } = decode(StoredKey, value)
    const { key } = certificate
    if (key.keyId !== keyId) continue
    const at = { clusterId: world.lock.clusterId, nodeId: node.name, recordType: 'key-share', keyId, epoch: key.epoch, version: 1 }
    using opened = await vault.open(at, sealed)
    shares.set(key.epoch, { value: BigInt(`0x${toHex(opened.bytes.subarray(0, 32))}`), threshold: key.threshold })
  }
  return shares
}

/** The key is never lost while t honest shares of one epoch exist: on the disks of honest nodes there are t shares that make it. */
export async function keyIsNotLost(world: World, key: KeyPublic): Promise<string | undefined> {
  const byEpoch = new Map<number, Map<PartyId, bigint>>()
  const thresholds = new Map<number, number>()
  for (const node of world.honest) {
    for (const [epoch, share] of await sharesOf(world, node, key.keyId)) {
      byEpoch.set(epoch, (byEpoch.get(epoch) ?? new Map<PartyId, bigint>()).set(node.index, share.value))
      thresholds.set(epoch, share.threshold)
    }
  }
  for (const [epoch, shares] of byEpoch) {
    const threshold = thresholds.get(epoch) as number
    const quorum = new Map([...shares].slice(0, threshold))
    if (quorum.size === threshold && Buffer.compare(baseTimes(interpolate(quorum)), key.publicKey) === 0) return undefined
  }
  const found = [...byEpoch].map(([epoch, shares]) => `epoch ${epoch}: ${[...shares.keys()].join()}`).join('; ')
  return `no ${key.threshold} honest shares make the key ${key.keyId} (${found || 'none'})`
}

/** Honest nodes hold the same epoch of a key, all of its committee. */
export function sameEpoch(world: World, key: KeyPublic): string | undefined {
  const held = world.honest
    .filter((node) => key.parties.includes(node.index))
    .map((node) => {
      const epochs = node.image.list('key').flatMap(({ value }) => {
        const { certificate } = decode(StoredKey, value)
        return certificate.key.keyId === key.keyId ? [certificate.key.epoch] : []
      })
      return { name: node.name, epoch: epochs.length === 0 ? undefined : Math.max(...epochs) }
    })
  const isSame = held.every(({ epoch }) => epoch === key.epoch)
  return isSame ? undefined : `${key.keyId}: ${held.map((h) => `${h.name} has ${h.epoch ?? 'none'}`).join(', ')}, wanted ${key.epoch}`
}

/**
 * A ban that was once durable is on the disk and in what the node says of itself for as long as the banned identity has a seat, and
 * nobody else is banned.
 */
export function burnsLast(node: SimNode, burned: ReadonlySet<string>, status: NodeStatus | undefined): string | undefined {
  const stored = new Set(node.image.list('burn').map(({ value }) => decode(StoredBurn, value).peerId))
  for (const { index, name, peerId } of node.lock.nodes) {
    const isBanned = burned.has(peerId)
    if (isBanned && !stored.has(peerId)) return `${node.name} has lost the ban of ${name}`
    const said = status?.pairs.find((p) => p.peer === index)?.state
    if (status !== undefined && index !== node.index && isBanned !== (said === 'burned'))
      return `${node.name} says that the pair with ${name} is ${said ?? 'nothing'}, and it has ${isBanned ? '' : 'not '}banned it`
  }
  return undefined
}

/** Checks a world that has come to rest; what is wrong goes into its violations. */
export async function checkInvariants(world: World, probe: Probe, statuses: ReadonlyMap<PartyId, NodeStatus>): Promise<void> {
  for (const { public: key } of probe.keys.values()) {
    const lost = await keyIsNotLost(world, key)
    if (lost !== undefined) world.violate('the key is not lost', lost)
    const apart = sameEpoch(world, key)
    if (apart !== undefined) world.violate('honest nodes converge', apart)
  }
  for (const node of world.honest) {
    const gone = burnsLast(node, probe.burnedBy(node), statuses.get(node.index))
    if (gone !== undefined) world.violate('burned pairs stay burned', gone)
    const status = statuses.get(node.index)
    const wrong = status === undefined ? undefined : poolsAreInOrder(node.name, status, WATER_MARKS.high)
    if (wrong !== undefined) world.violate('pools live no longer than their pairs', wrong)
  }
}
