import type { FileFacts } from './file-check.ts'
import { type CheckResult, check, type Finding, finding, type Known, known } from './finding.ts'

/** A process as the system shows it. */
export interface ProcessFacts {
  /** `node` when it is the running node, otherwise this command, whose environment the node would have when started from here. */
  readonly who: 'node' | 'this shell'
  /** Names only, but for NODE_OPTIONS. */
  readonly variables: ReadonlySet<string>
  readonly nodeOptions: string
  /** Arguments of the runtime. */
  readonly args: readonly string[]
  readonly uid: number
  /** Variables that hold a PIN by the settings. */
  readonly pinVariables: readonly string[]
}

export interface SystemFacts {
  readonly process: Known<ProcessFacts>
  /** Soft limit of the running node, bytes; Infinity for no limit. */
  readonly coreLimit: Known<number>
  /** Swap devices or files that are not encrypted. */
  readonly clearSwap: Known<readonly string[]>
  /** Undefined while nobody listens. */
  readonly adminSocket: FileFacts | undefined
  /** Why a node that seems to run does not answer, if so. */
  readonly silence: string | undefined
}

const INSPECT = /(^|\s)--inspect(-brk|-wait|-port|-publish-uid)?(=|\s|$)/

function processFindings({ who, variables, nodeOptions, args, uid, pinVariables }: ProcessFacts): readonly (Finding | undefined)[] {
  const start = who === 'node' ? ', and restart the node' : ''
  const shownPins = pinVariables.filter((name) => variables.has(name))
  const open = [nodeOptions, ...args].some((text) => INSPECT.test(text))
  return [
    variables.has('DUMP_SESSION_KEYS')
      ? finding('SESSION_KEYS_DUMPED', who, 'DUMP_SESSION_KEYS is set: session keys would be logged', `unset DUMP_SESSION_KEYS${start}`)
      : undefined,
    open
      ? finding(
          'DEBUGGER_OPEN',
          who,
          'a debugger may attach to the node and read every secret in its memory',
          `take --inspect out of NODE_OPTIONS and the command${start}`,
        )
      : undefined,
    ...shownPins.map((name) =>
      finding('PIN_IN_ENVIRONMENT', who, `the variable ${name} holds a PIN, and /proc shows it`, 'hsm[].pin: { file: pin } in node.yaml'),
    ),
    uid === 0
      ? finding(
          'RUNS_AS_ROOT',
          who,
          'it runs as root',
          'give the node a user of its own (User= in its systemd unit), and its directory to that user',
        )
      : undefined,
  ]
}

const socketFindings = (socket: FileFacts | undefined): readonly (Finding | undefined)[] => [
  socket !== undefined && (socket.mode & 0o077) !== 0
    ? finding('ADMIN_SOCKET_MODE', socket.path, 'others may command the running node', `chmod 0600 ${socket.path}`)
    : undefined,
]

/** What surrounds the node: environment, limits, swap, its socket. */
export function checkProcess({ process, coreLimit, clearSwap, adminSocket, silence }: SystemFacts): readonly CheckResult[] {
  return [
    check('environment', process, processFindings),
    check('core dumps', coreLimit, (limit) => [
      limit === 0
        ? undefined
        : finding(
            'CORE_DUMPS',
            'node',
            'a crash would write the memory of the node, shares among it, to the disk',
            'LimitCORE=0 in its systemd unit (or ulimit -c 0 before it), and restart the node',
          ),
    ]),
    check('swap', clearSwap, (devices) =>
      devices.map((device) =>
        finding(
          'SWAP_IN_CLEAR',
          device,
          'secrets may be swapped out and are not encrypted there',
          `swapoff ${device}, or encrypt it (crypttab with /dev/urandom)`,
        ),
      ),
    ),
    check('admin socket', known(adminSocket), socketFindings),
    check('running node', known(silence), (why) => [
      why === undefined ? undefined : finding('NODE_SILENT', 'node', why, 'look at its log; run this as the user of the node'),
    ]),
  ]
}
