import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Delivery, type NewWebhook, verifyWebhook } from '@conclave/client'
import { API_KEYS, eventually, Harness, Receiver } from '@conclave/coordinator/testing'
import { expect } from 'chai'
import { Command } from 'commander'
import { addWebhookCommands } from './webhook-commands.ts'

describe('conclave webhook', () => {
  let directory: string
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'conclave-webhook-'))
    await writeFile(join(directory, 'admin'), `${API_KEYS.admin}\n`, { mode: 0o600 })
  })
  after(() => rm(directory, { recursive: true, force: true }))

  /** What a command that succeeds prints. */
  async function run(h: Harness, ...args: readonly string[]): Promise<readonly string[]> {
    const printed: string[] = []
    const program = new Command().exitOverride()
    const print = (line: string) => void printed.push(line)
    addWebhookCommands(program, { print, progress: print, end: () => expect.fail('it did not end well') })
    const api = ['--url', h.coordinator?.url as string, '--api-key-file', join(directory, 'admin')]
    await program.parseAsync(['webhook', ...args, ...api], { from: 'user' })
    return printed
  }

  it('creates, tests, lists, sends again and deletes; what is sent is what the client verifies', async () => {
    await using receiver = await Receiver.start()
    await using h = await Harness.prepare()
    h.settings = { ...h.settings, webhooks: { ...h.settings.webhooks, networks: ['127.0.0.0/8'] } }
    await h.run()
    const to = ['create', '--to', receiver.url, '--label', 'ledger', '--type', 'signing_request.signed', '--type', 'key.*']
    const { webhookId: webhook, secret } = JSON.parse((await run(h, ...to, '--json')).join()) as NewWebhook
    expect((await run(h, ...to)).at(-1)).match(/^secret, which is told only now: whsec_/)
    expect(await run(h, 'show', '--webhook', webhook)).deep.equal([
      `webhook ${webhook} (ledger): enabled`,
      `to ${receiver.url}: signing_request.signed key.*`,
    ])
    expect((await run(h, 'list'))[2])
      .contain(webhook)
      .contain('enabled')
    expect(JSON.parse((await run(h, 'list', '--json')).join()).items).lengthOf(2)
    const tested = JSON.parse((await run(h, 'test', '--webhook', webhook, '--json')).join()) as Delivery
    await eventually(async () => (await run(h, 'deliveries', '--webhook', webhook, '--state', 'delivered')).length === 2)
    const [received] = receiver.received
    if (received === undefined) expect.fail()
    const event = verifyWebhook(received.headers, received.body, secret, h.clock.nowMs())
    expect(event).include({ type: 'webhook.test', subject: webhook, id: tested.event.id })
    const resend = await run(h, 'resend', '--webhook', webhook, '--delivery', tested.deliveryId)
    expect(resend[0]).match(/^delivery dlv_[0-9a-f]{32} of webhook\.test: pending$/)
    await eventually(() => receiver.received.length === 2)
    const listed = await run(h, 'deliveries', '--webhook', webhook)
    expect(listed).lengthOf(3)
    expect(listed[2]).contain(tested.deliveryId)
    expect(await run(h, 'delete', '--webhook', webhook)).deep.equal([`webhook ${webhook} is forgotten`])
    expect(JSON.parse((await run(h, 'list', '--json')).join()).items).lengthOf(1)
  })
})
