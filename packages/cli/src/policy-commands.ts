import { InvalidArgument } from '@conclave/core'
import {
  type AdminPolicy,
  lockFileOf,
  type PolicyPage,
  policyPage,
  readPolicyStatus,
  readSignedPolicy,
  signaturesFileOf,
  signPolicyFile,
  submitPolicy,
} from '@conclave/node'
import type { Command } from 'commander'
import { guarded, print as printLine } from './output.ts'
import { addPolicyTrialCommands } from './policy-trial-commands.ts'

type Print = (line: string) => void

interface Json {
  json?: true
}
interface Here extends Json {
  dir: string
}
interface Submitting extends Here {
  signatures?: string
}
interface Signing extends Json {
  key: string
  lock?: string
  dir?: string
  against?: string
  signatures?: string
}

const short = (hash: string) => hash.slice(0, 16)

function statusLines({ inForce, from, authors, waiting, fork, overlay, peers }: AdminPolicy): readonly string[] {
  const by =
    from === 'file'
      ? ', a file of this node'
      : inForce.sequence === 0
        ? ': none was signed yet'
        : `, signed by ${inForce.signedBy.join(', ')}`
  const here = `here: sequence ${inForce.sequence}, ${inForce.rules} rules, hash ${inForce.hash}${by}`
  return [
    inForce.since === null ? here : `${here}, since ${inForce.since}`,
    ...(authors === null ? [] : [`${authors.required} of ${authors.names.join(', ')} must sign`]),
    ...(waiting === null ? [] : [`waiting: sequence ${waiting.sequence}, hash ${waiting.hash}; nothing is signed until it is in force`]),
    ...(fork === null ? [] : [`FORK: the authors have also signed sequence ${fork.sequence} with hash ${fork.hash}`]),
    ...(overlay === null ? [] : [`overlay of this node: ${overlay.rules} rules, hash ${overlay.hash}`]),
    ...peers.map(
      (p) =>
        `${p.name}: sequence ${p.sequence}, hash ${p.hash}${p.hash === inForce.hash ? '' : ', ANOTHER'}${p.isLinkUp ? '' : ', no link'}`,
    ),
  ]
}

/** What a policy says, or what it changes. */
function pageLines({ sequence, hash, against, lines }: PolicyPage): readonly string[] {
  const head = `sequence ${sequence}, hash ${hash}`
  if (against === null) return [head, ...lines]
  return [head, `against sequence ${against}:`, ...(lines.length === 0 ? ['no rule and nobody is another'] : lines)]
}

/** What is shown is what is signed. */
async function signShown(print: Print, file: string, { key, lock, signatures, json, ...compared }: Signing): Promise<void> {
  const { dir } = compared
  const lockFile = lock ?? (dir === undefined ? undefined : lockFileOf(dir))
  if (lockFile === undefined) throw new InvalidArgument('BAD_OPTIONS', 'name the cluster lock by --lock, or a node by --dir')
  const page = await policyPage(file, compared)
  if (json !== true) for (const line of pageLines(page)) print(line)
  const signaturesFile = signatures ?? signaturesFileOf(file)
  const signed = await signPolicyFile({ file, hash: page.hash, lockFile, keyFile: key, signaturesFile })
  const { author, signedBy, required } = signed
  if (json === true) print(JSON.stringify({ sequence: page.sequence, hash: page.hash, ...signed, file: signaturesFile }))
  else print(`signed as ${author}: ${signedBy.length} of ${required} (${signedBy.join(', ')}) in ${signaturesFile}`)
}

async function submitFile(print: Print, file: string, { dir, signatures, json }: Submitting): Promise<void> {
  const { isNew, status } = await submitPolicy(dir, await readSignedPolicy(file, signatures ?? signaturesFileOf(file)))
  if (json === true) return print(JSON.stringify({ isNew, ...status }))
  const { sequence, hash } = status.inForce
  print(`${isNew ? 'in force' : 'in force before'}: sequence ${sequence}, hash ${short(hash)}...; the other nodes take it up from this one`)
}

/** `conclave policy show | sign | submit | status | simulate | replay`: what is signed under which rules. */
export function addPolicyCommands(program: Command, print: Print = printLine): void {
  const policy = program.command('policy').description('the policy of a cluster: what its nodes sign, and who has written it')
  const add = (name: string, description: string) => policy.command(name).description(description).option('--json', 'as JSON')

  add('show <file>', 'what a policy file says, or what it changes')
    .option('--against <file>', 'another policy file: what changes from that one')
    .option('--dir <dir>', 'directory of a node: what changes from its signed policy')
    .action(
      guarded(async (file: string, { json, ...o }: Pick<Signing, 'against' | 'dir' | 'json'>) => {
        const page = await policyPage(file, o)
        if (json === true) print(JSON.stringify(page, null, 2))
        else for (const line of pageLines(page)) print(line)
      }),
    )
  add('sign <file>', "show a policy file and add one author's signature to those beside it")
    .requiredOption('--key <file>', 'Ed25519 key of the author')
    .option('--lock <file>', 'the cluster lock, which names the authors')
    .option('--dir <dir>', 'directory of a node: its lock, and its policy to compare with')
    .option('--against <file>', 'another policy file to compare with')
    .option('--signatures <file>', 'where signatures are gathered; default: the policy file with .sig.json behind it')
    .action(guarded((file: string, o: Signing) => signShown(print, file, o)))
  add('submit <file>', 'hand a policy that enough authors have signed to the own node, and through it to all')
    .requiredOption('--dir <dir>', 'directory of the node')
    .option('--signatures <file>', 'its signatures; default: the policy file with .sig.json behind it')
    .action(guarded((file: string, o: Submitting) => submitFile(print, file, o)))
  add('status', 'which policy is in force here and at the other nodes')
    .requiredOption('--dir <dir>', 'directory of the node')
    .action(
      guarded(async ({ dir, json }: Here) => {
        const status = await readPolicyStatus(dir)
        if (json === true) print(JSON.stringify(status, null, 2))
        else for (const line of statusLines(status)) print(line)
      }),
    )
  addPolicyTrialCommands(policy, print)
}
