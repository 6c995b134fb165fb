import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { API_KEYS, eventually, Harness } from '@conclave/coordinator/testing'
import { codeOf } from '@conclave/core'
import { expect } from 'chai'
import { Command } from 'commander'
import { addKeyCommands, parseEvery } from './key-commands.ts'

describe('conclave key', () => {
  let directory: string
  let progress: string[]
  beforeEach(() => {
    progress = []
  })
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'conclave-key-'))
    for (const role of ['admin', 'viewer'] as const) await writeFile(join(directory, role), `${API_KEYS[role]}\n`, { mode: 0o600 })
  })
  after(() => rm(directory, { recursive: true, force: true }))

  /** What a command that succeeds prints. */
  async function run(h: Harness, args: string, as = 'admin'): Promise<readonly string[]> {
    const printed: string[] = []
    const program = new Command().exitOverride()
    addKeyCommands(program, {
      print: (line) => void printed.push(line),
      progress: (line) => void progress.push(line),
      end: () => expect.fail('it did not end well'),
    })
    const api = ['--url', h.coordinator?.url as string, '--api-key-file', join(directory, as)]
    await program.parseAsync(['key', ...args.split(' '), ...api], { from: 'user' })
    return printed
  }

  it('create, refresh and reshare wait for the end, with a line per state', async () => {
    await using h = await Harness.start({}, { withKey: false })
    const created = await run(h, 'create --key main')
    expect(progress[0]).match(/^key\.create main: (pending|running|succeeded) \(operation [0-9a-f]{32}\)$/)
    expect(progress.at(-1)).match(/^key\.create main: succeeded /)
    expect(created).lengthOf(1)
    expect(created[0]).match(/^main: 0x[0-9a-fA-F]{40}, 3 of 5 \(parties 1 2 3 4 5\), epoch 0, no schedule$/)
    expect((await run(h, 'refresh --key main')).at(-1))
      .contain('3 of 5')
      .contain('epoch 1')
    expect((await run(h, 'reshare --key main --required 4')).at(-1))
      .contain('4 of 5')
      .contain('epoch 2')
    expect((await run(h, 'create --key high --required 5')).at(-1))
      .contain('high: ')
      .contain('5 of 5')
    const listed = await run(h, 'list', 'viewer')
    expect(listed.map((line) => line.split(/ {2,}/)[0])).deep.equal(['KEY', 'high', 'main'])
    expect(listed[2]).match(/^main {2,}0x\w{40} {2}4 of 5 {2,}2 {2,}-$/)
  })

  it('--json prints one object, and --no-wait the operation only', async () => {
    await using h = await Harness.start()
    const printed = await run(h, 'refresh --key main --json')
    expect(printed).lengthOf(1)
    expect(progress).deep.equal([])
    const operation = JSON.parse(printed[0] as string)
    expect(operation).deep.include({ kind: 'key.refresh', state: 'succeeded', error: null })
    expect(operation.result).include({ keyId: 'main', epoch: 1 })
    const { operationId } = JSON.parse((await run(h, 'reshare --key main --no-wait --json')).join())
    await eventually(async () => (await h.get<{ state: string }>(`/v1/operations/${operationId}`)).body.state === 'succeeded')
    expect((await run(h, 'refresh --key main --no-wait'))[0]).match(/^operation [0-9a-f]{32}$/)
    expect(JSON.parse((await run(h, 'list --json')).join())).lengthOf(1)
    expect(JSON.parse((await run(h, 'show --key main --json', 'viewer')).join())).include({ keyId: 'main' })
  })

  it('schedule sets and ends a schedule', async () => {
    await using h = await Harness.start()
    expect((await run(h, 'schedule --key main --every 30d'))[0]).contain('every 30d, next 2026-01-31T')
    expect((await run(h, 'schedule --key main --every off'))[0]).contain('no schedule')
  })

  it('derive shows one child, or many by index', async () => {
    await using h = await Harness.start()
    const [heads, child] = await run(h, 'derive --key main --path m/0/5', 'viewer')
    expect(heads?.split(/ {2,}/)).deep.equal(['PATH', 'ADDRESS', 'P2WPKH', 'PUBLIC KEY'])
    const many = await run(h, 'derive --key main --prefix m/0 --from 4 --count 3')
    expect(many.slice(1).map((line) => line.split(' ')[0])).deep.equal(['m/0/4', 'm/0/5', 'm/0/6'])
    expect(many[2]).equal(child)
    const [json] = JSON.parse((await run(h, 'derive --key main --path m/0/5 --json')).join())
    expect(child).contain(json.address).contain(json.publicKey)
  })

  it('--every is whole days from 1 to 3650, or off', () => {
    expect(['1d', '30d', '3650d', 'off'].map(parseEvery)).deep.equal([1, 30, 3650, null])
    const codeFor = (text: string) => {
      try {
        return parseEvery(text)
      } catch (error) {
        return codeOf(error)
      }
    }
    for (const text of ['', '0d', '01d', '30', '1w', '1.5d', '-1d', '3651d', '99999d', ' 1d', 'never']) {
      expect(codeFor(text), text).equal('BAD_SCHEDULE')
    }
  })
})
