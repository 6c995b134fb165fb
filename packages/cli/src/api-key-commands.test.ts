import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { API_KEYS, Harness } from '@conclave/coordinator/testing'
import { codeOf } from '@conclave/core'
import { expect } from 'chai'
import { Command } from 'commander'
import { addApiKeyCommands, parseOverlap } from './api-key-commands.ts'

describe('conclave api-key', () => {
  let directory: string
  const file = (name: string) => join(directory, name)
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'conclave-api-key-'))
    await writeFile(file('admin'), `${API_KEYS.admin}\n`, { mode: 0o600 })
  })
  after(() => rm(directory, { recursive: true, force: true }))
  afterEach(() => {
    process.exitCode = 0
  })

  async function run(h: Harness, args: string): Promise<readonly string[]> {
    const printed: string[] = []
    const program = new Command().exitOverride()
    addApiKeyCommands(program, { print: (line) => void printed.push(line), progress: () => undefined, end: () => undefined })
    const api = ['--url', h.coordinator?.url as string, '--api-key-file', file('admin')]
    await program.parseAsync(['api-key', ...args.split(' '), ...api], { from: 'user' })
    return printed
  }
  const opens = async (h: Harness, secretFile: string) => {
    const secret = (await readFile(file(secretFile), 'utf8')).trim()
    return (await h.get('/v1/keys', { as: null, headers: { authorization: `Bearer ${secret}` } })).status
  }

  it('a key is made, listed, rotated and revoked; its secrets are in files that only their owner reads, and never printed', async () => {
    await using h = await Harness.start()
    const lines: string[] = []
    lines.push(...(await run(h, `create --name desk --role viewer --secret-file ${file('one')}`)))
    expect(lines[0]).contain('desk (viewer of main) is made')
    expect(((await stat(file('one'))).mode & 0o777).toString(8)).equal('600')
    expect(await opens(h, 'one')).equal(200)
    const [head, row] = await run(h, 'list')
    expect([head?.split(/ +/)[0], row?.split(/ +/).slice(0, 4)]).deep.equal(['NAME', ['desk', 'viewer', 'main', 'admin']])
    lines.push(...(await run(h, `rotate --name desk --overlap 1h --secret-file ${file('two')} --json`)))
    expect(JSON.parse(lines[1] as string)).include({ name: 'desk' })
    expect([await opens(h, 'one'), await opens(h, 'two')]).deep.equal([200, 200])
    h.clock.advance(3_600_000)
    expect([await opens(h, 'one'), await opens(h, 'two')]).deep.equal([401, 200])
    expect(await run(h, 'revoke --name desk')).deep.equal(['desk is revoked'])
    expect(await opens(h, 'two')).equal(401)
    for (const name of ['one', 'two']) expect(lines.join()).not.contain((await readFile(file(name), 'utf8')).trim())
  })

  it('a secret that has no place to go is not made', async () => {
    await using h = await Harness.start()
    expect(await run(h, `create --name desk --role viewer --secret-file ${file('admin')}`)).deep.equal([])
    expect(process.exitCode).equal(1)
    expect((await h.get('/v1/api-keys/desk')).body.code).equal('API_KEY_NOT_FOUND')
  })

  it('--overlap is whole hours from 0h to 720h', () => {
    expect([parseOverlap('0h'), parseOverlap('720h')]).deep.equal([0, 2_592_000_000])
    for (const text of ['721h', '1', '-1h', '1.5h', '']) {
      try {
        parseOverlap(text)
        expect.fail(text)
      } catch (error) {
        expect(codeOf(error)).equal('BAD_OVERLAP')
      }
    }
  })
})
