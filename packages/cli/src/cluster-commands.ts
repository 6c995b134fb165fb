import { type ClusterLock, fromHex, InvalidArgument, type PolicyAuthor, type PolicyAuthors, parseIdentityKey } from '@conclave/core'
import { draftLock, draftNextLock, lockSummary, readDraft, readLock, readSuccessor, signLockFile } from '@conclave/node'
import { type Command, InvalidArgumentError } from 'commander'
import { guarded, print } from './output.ts'

interface NextOptions {
  lock: string
  out: string
  required?: number
  replace?: Map<string, string>
  add?: string[]
  remove?: string[]
  author?: PolicyAuthor[]
  authorsRequired?: number
  authors?: boolean
}

const drafted = (file: string, { version, quorum, nodes }: ClusterLock) =>
  `${file}: version ${version}, ${quorum.required} of ${quorum.of}, to be signed by ${nodes.map((n) => n.name).join(', ')}`

/** `<name>=<card.json>`, gathered. */
function replacement(text: string, earlier: Map<string, string> = new Map()): Map<string, string> {
  const at = text.indexOf('=')
  const name = text.slice(0, at)
  if (at < 1 || at === text.length - 1 || earlier.has(name)) throw new InvalidArgumentError('it is <name>=<card file>, once per name')
  return new Map(earlier).set(name, text.slice(at + 1))
}

/** `<name>=ed25519:<hex>`, gathered. */
function policyAuthor(text: string, earlier: PolicyAuthor[] = []): PolicyAuthor[] {
  const [, name = '', key = ''] = /^([a-z0-9][a-z0-9-]{0,31})=ed25519:([0-9a-f]{64})$/.exec(text) ?? []
  if (name === '')
    throw new InvalidArgumentError('it is <name>=ed25519:<64 hexadecimal digits>, as "conclave approver keygen" prints the key')
  return [...earlier, { name, key: parseIdentityKey('ed25519', fromHex(key)) }]
}

function policyAuthors(author: readonly PolicyAuthor[] | undefined, required: number | undefined): PolicyAuthors | undefined {
  if ((author === undefined) !== (required === undefined))
    throw new InvalidArgument('BAD_OPTIONS', '--author and --authors-required belong together')
  return author === undefined || required === undefined ? undefined : { required, keys: author }
}

const withAuthors = (command: Command) =>
  command
    .option('--author <name=key...>', 'who writes policies: a name and an Ed25519 key', policyAuthor)
    .option('--authors-required <count>', 'how many of them must sign a policy', Number)

/** `conclave cluster draft | next | show | sign | verify`. */
export function addClusterCommands(program: Command): void {
  const cluster = program.command('cluster').description('the cluster lock: who belongs to the cluster')
  addDrafts(cluster)
  addChecks(cluster)
}

function addDrafts(cluster: Command): void {
  withAuthors(cluster.command('draft'))
    .description('write an unsigned lock from the cards of nodes and coordinators, in this order')
    .requiredOption('--card <file...>', 'cards of the nodes (index 1 first) and of the coordinators')
    .requiredOption('--required <count>', 'signers needed', Number)
    .requiredOption('--out <file>', 'lock file to write')
    .action(
      guarded(async (o: { card: string[]; required: number; out: string; author?: PolicyAuthor[]; authorsRequired?: number }) => {
        const authors = policyAuthors(o.author, o.authorsRequired)
        const lock = await draftLock({ cardFiles: o.card, required: o.required, out: o.out, authors })
        print(drafted(o.out, lock))
      }),
    )
  withAuthors(cluster.command('next'))
    .description('write the next version of a lock, unsigned; who is not named stays')
    .requiredOption('--lock <file>', 'the lock in force')
    .requiredOption('--out <file>', 'lock file to write')
    .option('--required <count>', 'signers needed; default: as before', Number)
    .option('--replace <name=card...>', "card of the member that takes over somebody's seat", replacement)
    .option('--add <file...>', 'cards of new members')
    .option('--remove <name...>', 'members that leave')
    .option('--no-authors', 'from here on each node obeys a policy file of its own')
    .action(
      guarded(async ({ lock: lockFile, author, authorsRequired, authors: keepsAuthors, ...rest }: NextOptions) => {
        const authors = keepsAuthors === false ? 'none' : policyAuthors(author, authorsRequired)
        const next = await draftNextLock({ lockFile, ...rest, authors })
        print(drafted(rest.out, next))
      }),
    )
}

function addChecks(cluster: Command): void {
  cluster
    .command('sign')
    .description(
      "add this node's signature, and its approval if it is in the lock before, to a lock whose hash the operators have compared",
    )
    .requiredOption('--dir <dir>', 'directory of the node')
    .requiredOption('--lock <file>', 'lock file, changed in place')
    .requiredOption('--hash <hex>', 'its hash, as "conclave cluster show" printed it and the operators compared it')
    .option('--previous <file>', 'the lock in force; needed for every version but the first')
    .action(
      guarded(async (o: { dir: string; lock: string; hash: string; previous?: string }) => {
        const previous = o.previous === undefined ? {} : { previousFile: o.previous }
        const lock = await signLockFile({ dir: o.dir, lockFile: o.lock, hash: o.hash, ...previous })
        for (const line of lockSummary(lock)) print(line)
      }),
    )
  cluster
    .command('show')
    .description('what a lock says and who has signed it, without checking the signatures')
    .requiredOption('--lock <file>', 'lock file')
    .action(
      guarded(async (o: { lock: string }) => {
        for (const line of lockSummary(await readDraft(o.lock))) print(line)
      }),
    )
  cluster
    .command('verify')
    .description('check every signature of a lock, and with --previous that it may take over from that one')
    .requiredOption('--lock <file>', 'lock file')
    .option('--previous <file>', 'the lock in force')
    .action(
      guarded(async (o: { lock: string; previous?: string }) => {
        const lock = o.previous === undefined ? await readLock(o.lock) : await readSuccessor(o.lock, o.previous)
        for (const line of lockSummary(lock)) print(line)
      }),
    )
}
