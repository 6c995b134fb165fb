import type { HsmInspection } from '@conclave/vault'
import type { CheckedHsm, CheckedPeer } from '../checkup.ts'
import { type CheckResult, check, type Finding, finding, type Known, unknown } from './finding.ts'

/** An HSM as the settings of a node name it. */
export interface NamedToken {
  readonly hsm: string
  readonly module: string
  readonly token: string
  readonly serial: string | undefined
  /** SOFTHSM2_CONF: with SoftHSM, another one is another device. */
  readonly conf: string | undefined
}

/** Another node's directory beside this one. */
export interface Neighbour {
  readonly dir: string
  readonly tokens: readonly NamedToken[]
}

/** NSS and TPM give all their tokens a serial of zeros, which tells none of them. */
const tells = (serial: string | undefined): boolean => serial !== undefined && !/^0*$/.test(serial)

/** A serial and a label are of one token; without both serials only the rest can be compared. */
function isSame(a: NamedToken, b: NamedToken): boolean {
  if (a.token !== b.token) return false
  if (tells(a.serial) && tells(b.serial)) return a.serial === b.serial
  return a.module === b.module && a.conf === b.conf
}

const OWN_TOKEN = 'give each node a token of its own: conclave node init in a new directory, then conclave cluster next --replace'

export function neighbourFindings(own: readonly NamedToken[], neighbours: readonly Neighbour[]): readonly (Finding | undefined)[] {
  return neighbours.flatMap(({ dir, tokens }) =>
    own
      .filter((o) => tokens.some((t) => isSame(o, t)))
      .map((o) => finding('TOKEN_SHARED', o.hsm, `the node in ${dir} uses the same token "${o.token}": two nodes, one HSM`, OWN_TOKEN)),
  )
}

export function ownFindings(own: readonly NamedToken[]): readonly (Finding | undefined)[] {
  return own.flatMap((a, i) =>
    own
      .slice(i + 1)
      .filter((b) => isSame(a, b))
      .map((b) =>
        finding(
          'HSMS_SHARE_TOKEN',
          `${a.hsm}, ${b.hsm}`,
          `"${a.hsm}" and "${b.hsm}" are the same token: that is no second HSM`,
          `take hsm[${b.hsm}] out of node.yaml, or name another token`,
        ),
      ),
  )
}

export function peerFindings(hsms: readonly CheckedHsm[], peers: readonly CheckedPeer[]): readonly (Finding | undefined)[] {
  return peers.flatMap(({ name, word }) => {
    if (word === null || typeof word === 'string') return []
    const shared = hsms.filter((h) => h.mark !== null && word.hsms.includes(h.mark))
    return shared.map((h) =>
      finding(
        'PEER_SHARES_TOKEN',
        name,
        `${name} seals with the same key of the same token as "${h.name}" here, or with a copy of it`,
        OWN_TOKEN,
      ),
    )
  })
}

/** The serial that a token really has, where the settings do not say. */
export function withSerial(named: NamedToken, inspection: Known<HsmInspection>): NamedToken {
  if (named.serial !== undefined || !inspection.known) return named
  const [found, second] = inspection.value.tokens.filter((t) => t.label === named.token)
  return found === undefined || second !== undefined ? named : { ...named, serial: found.serial }
}

/** Whether what should be two HSMs is one. */
export function checkTwins(
  own: Known<readonly NamedToken[]>,
  neighbours: Known<readonly Neighbour[]>,
  running: Known<{ readonly hsms: readonly CheckedHsm[]; readonly peers: readonly CheckedPeer[] }>,
): readonly CheckResult[] {
  const tokens = own.known ? own.value : []
  const isMarked = !running.known || running.value.hsms.some((h) => h.mark !== null)
  const marked = isMarked ? running : unknown('no HSM of this node is up with a KEK whose id tells it from others')
  return [
    check('HSMs of one node', own, ownFindings),
    check('tokens of nodes beside this one', own.known ? neighbours : own, (found) => neighbourFindings(tokens, found)),
    check("the peers' tokens", marked, ({ hsms, peers }) => peerFindings(hsms, peers)),
  ]
}
