import {
  type ClusterLock,
  type CoordinatorMember,
  type IdentitySigner,
  type Member,
  type NodeMember,
  tagged,
  toHex,
  utf8,
} from '@conclave/core'
import { softIdentity } from './identity-signer.ts'
import { memberNamed, peerIdOf } from './membership.ts'

/** A lock for tests, unsigned, and the keys of its members. */
export interface TestCluster {
  readonly lock: ClusterLock
  signer(name: string): IdentitySigner
  member(name: string): Member
}

/** Nobody dials this: transports under test are told where their peers really listen. Having an address decides who dials. */
const PLACEHOLDER = '/ip4/127.0.0.1/tcp/9'

/** A key that is a function of `name`. */
export function testSigner(name: string): IdentitySigner {
  return softIdentity(tagged('test-identity', utf8(name)))
}

export function testNode(index: number, name: string, addresses: readonly string[] = [PLACEHOLDER]): NodeMember {
  const identity = testSigner(name).key
  const checkpointKeys = [testSigner(`${name}/checkpoint`).key]
  return { kind: 'node', index, name, peerId: peerIdOf(identity), addresses, identity, checkpointKeys }
}

export function testCoordinator(name: string): CoordinatorMember {
  return { kind: 'coordinator', name, peerId: peerIdOf(testSigner(name).key), addresses: [] }
}

/** Nodes `node-1`.. and coordinators `coordinator-1`.., which have no addresses. */
export function testCluster(nodes: number, coordinators = 0): TestCluster {
  const lock: ClusterLock = {
    version: 1,
    clusterId: toHex(tagged('test-cluster')),
    previous: '',
    quorum: { required: 2, of: nodes },
    nodes: Array.from({ length: nodes }, (_, i) => testNode(i + 1, `node-${i + 1}`)),
    coordinators: Array.from({ length: coordinators }, (_, i) => testCoordinator(`coordinator-${i + 1}`)),
    signatures: new Map(),
    approvals: new Map(),
  }
  return clusterOf(lock)
}

export function clusterOf(lock: ClusterLock): TestCluster {
  return { lock, signer: testSigner, member: (name) => memberNamed(lock, name) }
}
