import { createECDH, createPrivateKey, sign } from 'node:crypto'
import {
  type ClusterLock,
  type CoordinatorMember,
  type IdentitySigner,
  type Member,
  type NodeMember,
  tagged,
  toHex,
  utf8,
  verifyIdentity,
} from '@conclave/core'
import { softIdentity } from './identity-signer.ts'
import { memberNamed, peerIdOf } from './membership.ts'

/** A lock for tests, unsigned, and the keys of its members. */
export interface TestCluster {
  readonly lock: ClusterLock
  /** Of its peer id. */
  signer(name: string): IdentitySigner
  /** Of its identity, where the peer id is not made of that. */
  identity(name: string): IdentitySigner | undefined
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
  return { lock, signer: testSigner, identity: () => undefined, member: (name) => memberNamed(lock, name) }
}

/** A P-256 key that is a function of `name`, with signatures as a vault gives them. */
export function testP256Signer(name: string): IdentitySigner {
  const ecdh = createECDH('prime256v1')
  ecdh.setPrivateKey(tagged('test-p256', utf8(name)))
  const point = ecdh.getPublicKey()
  const text = (bytes: Buffer) => bytes.toString('base64url')
  const jwk = { kty: 'EC', crv: 'P-256', x: text(point.subarray(1, 33)), y: text(point.subarray(33)), d: text(ecdh.getPrivateKey()) }
  const privateKey = createPrivateKey({ format: 'jwk', key: jwk })
  const key = { type: 'p256', publicKey: Uint8Array.from(ecdh.getPublicKey(null, 'compressed')) } as const
  return {
    key,
    async sign(message) {
      // OpenSSL does not make s low, and half of its signatures have a low one.
      for (;;) {
        const signature = Uint8Array.from(sign('sha256', message, privateKey))
        if (verifyIdentity(key, message, signature)) return signature
      }
    },
  }
}

/** The same cluster, in which those nodes have a P-256 identity beside the key of their peer id. */
export function withProvers(cluster: TestCluster, names: readonly string[]): TestCluster {
  const nodes = cluster.lock.nodes.map((n) => (names.includes(n.name) ? { ...n, identity: testP256Signer(n.name).key } : n))
  return { ...clusterOf({ ...cluster.lock, nodes }), identity: (name) => (names.includes(name) ? testP256Signer(name) : undefined) }
}
