import type { CheckedPeer } from '../checkup.ts'
import { type CheckResult, check, type Finding, finding, type Known, known } from './finding.ts'

const NODE_MAJOR_MIN = 24

export interface VersionFacts {
  /** Of the Node.js that runs this. */
  readonly runtime: string
  /** Of this program. */
  readonly version: string
  /** Of the running node. */
  readonly running: Known<string>
  readonly peers: Known<readonly CheckedPeer[]>
}

const DOWN: Readonly<Record<string, { readonly code: 'PEER_PROTOCOL' | 'PEER_LOCK'; readonly what: string; readonly fix: string }>> = {
  PROTOCOL_MISMATCH: {
    code: 'PEER_PROTOCOL',
    what: 'speaks another version of the link protocol',
    fix: 'run the same release of conclave at both nodes',
  },
  LOCK_MISMATCH: {
    code: 'PEER_LOCK',
    what: 'has another version of the cluster lock',
    fix: 'put the newest lock that all operators signed into both directories, and restart whoever had the older one',
  },
  CLUSTER_MISMATCH: {
    code: 'PEER_LOCK',
    what: 'has the lock of another cluster',
    fix: 'compare "conclave cluster show --lock cluster.lock.json" with its operator',
  },
}

function peerFindings(version: string, peers: readonly CheckedPeer[]): readonly (Finding | undefined)[] {
  return peers.map(({ name, word, downReason }) => {
    const down = DOWN[downReason ?? '']
    if (down !== undefined) return finding(down.code, name, `${name} ${down.what}`, down.fix)
    if (word === null || typeof word === 'string' || word.version === version) return undefined
    return finding(
      'PEER_VERSION',
      name,
      `${name} runs conclave ${word.version}, this node ${version}`,
      'run the same release of conclave at every node',
    )
  })
}

/** Versions of what runs here and at the peers. */
export function checkVersions({ runtime, version, running, peers }: VersionFacts): readonly CheckResult[] {
  const own = running.known ? running.value : version
  return [
    check('runtime', known(runtime), (v) => [
      Number.parseInt(v, 10) >= NODE_MAJOR_MIN
        ? undefined
        : finding('RUNTIME_OLD', 'node', `this is Node.js ${v}, ${NODE_MAJOR_MIN} or newer is needed`, `install Node.js ${NODE_MAJOR_MIN}`),
    ]),
    check('running version', running, (v) => [
      v === version
        ? undefined
        : finding(
            'RESTART_NEEDED',
            'conclave',
            `conclave ${v} is running, and ${version} is installed`,
            'restart the node when convenient',
          ),
    ]),
    check('versions of the peers', peers, (found) => peerFindings(own, found)),
  ]
}
