import type { Node } from '@conclave/client'
import type { Command } from 'commander'
import { type ApiOptions, addApiCommand, clientOf } from './coordinator-api.ts'
import { guarded, type Output, table, terminal } from './output.ts'

const HEADS = ['node', 'name', 'link', 'round trip', 'able', 'hsms', 'keys', 'in the way']

function rowOf({ index, name, link, availability, status }: Node): readonly string[] {
  const up = status?.hsms.filter((hsm) => hsm.state === 'up').length
  return [
    ...[`${index}`, name, link.up ? 'up' : 'down'],
    link.roundTripMs === null ? '-' : `${link.roundTripMs.toFixed(1)} ms`,
    availability.able ? 'yes' : 'no',
    status === null ? '-' : `${up} of ${status.hsms.length}`,
    status === null ? '-' : `${status.keys.length}`,
    availability.reasons.map((reason) => reason.code).join(' ') || '-',
  ]
}

function* showLines(node: Node): Generator<string> {
  const { index, name, peerId, link, availability, status } = node
  yield `node ${index}: ${name}, ${peerId}`
  yield `link ${link.up ? 'up' : 'down'}, ${link.reconnects} reconnects; ${availability.able ? 'able to sign' : 'not able to sign'}`
  for (const { code, detail } of availability.reasons) yield `${code}: ${detail}`
  if (status === null) return
  yield `version ${status.version}, as reported at ${status.reportedAt}`
  for (const { name: hsm, state, since, latencyMs } of status.hsms) yield `hsm ${hsm}: ${state} since ${since}, ${latencyMs} ms`
  for (const { keyId, epoch, state, lastBackupEpoch } of status.keys) {
    yield `key ${keyId}: ${state}, epoch ${epoch}, ${lastBackupEpoch === null ? 'in no backup' : `backup of epoch ${lastBackupEpoch}`}`
  }
  for (const { peer, state, code, stock } of status.pairs) {
    yield `pair with node ${peer}: ${state}${code === null ? '' : ` (${code})`}, ${stock} correlations`
  }
}

/** `conclave node list | show`: the nodes as the coordinator sees them. */
export function addNodeListCommands(program: Command, output: Output = terminal): void {
  const group = program.commands.find((c) => c.name() === 'node') ?? program.command('node')
  addApiCommand(group, 'list', 'every node of the cluster, as the coordinator sees it').action(
    guarded(async (o: ApiOptions) => {
      const nodes = await (await clientOf(o)).nodes()
      for (const line of o.json === true ? [JSON.stringify(nodes)] : table(HEADS, nodes.map(rowOf))) output.print(line)
    }),
  )
  addApiCommand(group, 'show', 'one node, as the coordinator sees it')
    .requiredOption('--node <index>', 'its index in the cluster lock', Number)
    .action(
      guarded(async (o: ApiOptions & { node: number }) => {
        const node = await (await clientOf(o)).node(o.node)
        for (const line of o.json === true ? [JSON.stringify(node)] : showLines(node)) output.print(line)
      }),
    )
}
