import type { CreateWebhook, Delivery, Webhook } from '@conclave/client'
import type { Command } from 'commander'
import { type ApiOptions, addApiCommand, clientOf } from './coordinator-api.ts'
import { guarded, type Output, table, terminal } from './output.ts'

interface One extends ApiOptions {
  readonly webhook: string
}
interface Creating extends ApiOptions {
  readonly to: string
  readonly type?: readonly string[]
  readonly key?: string
  readonly label?: string
}
interface Listing extends ApiOptions {
  readonly limit?: number
  readonly cursor?: string
}
interface Deliveries extends One, Listing {
  readonly state?: Delivery['state']
}
interface Resending extends One {
  readonly delivery: string
}

const collect = (value: string, previous: readonly string[] | undefined): readonly string[] => [...(previous ?? []), value]
const pageOf = ({ limit = 50, cursor }: Listing) => ({ limit, ...(cursor === undefined ? {} : { cursor }) })

function* webhookLines({ webhookId, url, types, keyId, label, state, disabledCode, failingSince }: Webhook): Generator<string> {
  yield `webhook ${webhookId}${label === null ? '' : ` (${label})`}: ${state}${disabledCode === null ? '' : `, ${disabledCode}`}`
  yield `to ${url}: ${types === null ? 'all events' : types.join(' ')}${keyId === null ? '' : `, of key ${keyId}`}`
  if (failingSince !== null) yield `every attempt has failed since ${failingSince}`
}

function deliveryRow({ deliveryId, state, event, attempts, lastStatus, lastCode, nextAt, createdAt }: Delivery): readonly string[] {
  return [deliveryId, state, event.type, event.subject, `${attempts}`, lastCode ?? `${lastStatus ?? '-'}`, nextAt ?? '-', createdAt]
}

function show(webhook: Webhook, { json }: ApiOptions, { print }: Output): void {
  for (const line of json === true ? [JSON.stringify(webhook)] : webhookLines(webhook)) print(line)
}

async function create({ to, type, key, label, ...o }: Creating, output: Output): Promise<void> {
  // What is no type is refused by the coordinator.
  const types = type === undefined ? {} : { types: type as NonNullable<CreateWebhook['types']> }
  const only = { ...(key === undefined ? {} : { keyId: key }), ...(label === undefined ? {} : { label }) }
  const webhook = await (await clientOf(o)).webhooks.create({ url: to, ...types, ...only })
  show(webhook, o, output)
  if (o.json !== true) output.print(`secret, which is told only now: ${webhook.secret}`)
}

async function deliveries({ webhook, state, ...o }: Deliveries, { print }: Output): Promise<void> {
  const query = { ...pageOf(o), ...(state === undefined ? {} : { state }) }
  const { items, nextCursor } = await (await clientOf(o)).webhooks.deliveries(webhook, query)
  if (o.json === true) return print(JSON.stringify({ items, nextCursor }))
  const heads = ['delivery', 'state', 'event', 'of', 'attempts', 'last', 'next', 'created']
  for (const line of table(heads, items.map(deliveryRow))) print(line)
  if (nextCursor !== null) print(`more: --cursor ${nextCursor}`)
}

async function list(o: Listing, { print }: Output): Promise<void> {
  const { items, nextCursor } = await (await clientOf(o)).webhooks.list(pageOf(o))
  if (o.json === true) return print(JSON.stringify({ items, nextCursor }))
  const rows = items.map((w) => [w.webhookId, w.state, w.url, w.types?.join(' ') ?? 'all', w.keyId ?? 'all'])
  for (const line of table(['webhook', 'state', 'to', 'events', 'key'], rows)) print(line)
  if (nextCursor !== null) print(`more: --cursor ${nextCursor}`)
}

/** `conclave webhook create | list | show | deliveries | resend | test | delete`. */
export function addWebhookCommands(program: Command, output: Output = terminal): void {
  const { print } = output
  const group = program.command('webhook').description('who is told of what happens, through the coordinator')
  const addOne = (name: string, description: string) =>
    addApiCommand(group, name, description).requiredOption('--webhook <id>', 'id of the webhook')
  const addList = (command: Command) =>
    command.option('--limit <number>', 'how many; default: 50, at most 200', Number).option('--cursor <text>', 'go on where a list ended')
  const printDelivery = (delivery: Delivery, { json }: ApiOptions) =>
    print(json === true ? JSON.stringify(delivery) : `delivery ${delivery.deliveryId} of ${delivery.event.type}: ${delivery.state}`)

  addApiCommand(group, 'create', 'have events sent to a URL; prints the secret that they are signed with')
    .requiredOption('--to <url>', 'where events are sent to')
    .option('--type <type>', 'only events of this type, such as signing_request.signed or key.*; may be given several times', collect)
    .option('--key <id>', 'only events of this key')
    .option('--label <text>', 'what it is for')
    .action(guarded((o: Creating) => create(o, output)))
  addList(addApiCommand(group, 'list', 'webhooks, newest first')).action(guarded((o: Listing) => list(o, output)))
  addOne('show', 'one webhook').action(
    guarded(async (o: One) => {
      show(await (await clientOf(o)).webhooks.get(o.webhook), o, output)
    }),
  )
  addList(addOne('deliveries', 'what was sent to a webhook, and what became of it, newest first'))
    .option('--state <state>', 'only those that are pending, delivered or failed')
    .action(guarded((o: Deliveries) => deliveries(o, output)))
  addOne('resend', 'send an event once more')
    .requiredOption('--delivery <id>', 'id of the delivery')
    .action(
      guarded(async (o: Resending) => {
        printDelivery(await (await clientOf(o)).webhooks.resend(o.webhook, o.delivery), o)
      }),
    )
  addOne('test', 'send an event that says nothing else').action(
    guarded(async (o: One) => {
      printDelivery(await (await clientOf(o)).webhooks.test(o.webhook), o)
    }),
  )
  addOne('delete', 'forget a webhook and its deliveries').action(
    guarded(async (o: One) => {
      const { webhookId } = await (await clientOf(o)).webhooks.delete(o.webhook)
      print(o.json === true ? JSON.stringify({ webhookId }) : `webhook ${webhookId} is forgotten`)
    }),
  )
}
