import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { API_KEYS, eventually, Harness, payment } from '@conclave/coordinator/testing'
import { codeOf, fromHex, tagged, toHex } from '@conclave/core'
import { psbtOf } from '@conclave/policy/testing/psbt'
import { expect } from 'chai'
import { Command } from 'commander'
import { addNodeListCommands } from './node-list-commands.ts'
import { WAITS_FOR_APPROVAL } from './output.ts'
import { addRequestCommands } from './request-commands.ts'
import { addSignCommands } from './sign-commands.ts'

const DIGEST = 'ab'.repeat(32)
const TYPED = {
  types: { Note: [{ name: 'text', type: 'string' }] },
  primaryType: 'Note',
  domain: { name: 'Notes', chainId: 1, verifyingContract: `0x${'cc'.repeat(20)}` },
  message: { text: 'Hello' },
}

interface Ended {
  readonly printed: readonly string[]
  readonly progress: readonly string[]
  readonly exitCode: number
}

describe('conclave sign, request and node', () => {
  let directory: string
  let h: Harness
  const file = (name: string) => join(directory, name)
  beforeEach(async () => {
    h = await Harness.start()
    directory = await mkdtemp(join(tmpdir(), 'conclave-sign-'))
    await writeFile(file('admin'), `${API_KEYS.admin}\n`, { mode: 0o600 })
  })
  afterEach(async () => {
    await h[Symbol.asyncDispose]()
    await rm(directory, { recursive: true, force: true })
  })

  /** What a command that does not fail says. @param passes - whether the time of the coordinator passes meanwhile. */
  async function run(args: string, passes = false): Promise<Ended> {
    const [printed, progress]: [string[], string[]] = [[], []]
    let exitCode = 0
    const output = {
      print: (line: string) => void printed.push(line),
      progress: (line: string) => void progress.push(line),
      end: (code: number) => {
        exitCode = code
      },
    }
    const program = new Command().exitOverride()
    for (const add of [addSignCommands, addRequestCommands, addNodeListCommands]) add(program, output)
    const api = ['--url', h.coordinator?.url as string, '--api-key-file', file('admin')]
    let isOver = false
    const ended = program.parseAsync([...args.split(' '), ...api], { from: 'user' }).finally(() => {
      isOver = true
    })
    if (passes) {
      await eventually(() => {
        if (!isOver) h.clock.advance(100)
        return isOver
      })
    }
    await ended
    return { printed, progress, exitCode }
  }

  async function signed(kind: string, input: string | Uint8Array, more = ''): Promise<string> {
    await writeFile(file('in'), input)
    const { printed, exitCode } = await run(`sign ${kind} --key main --in ${file('in')}${more}`)
    expect([printed.length, exitCode]).deep.equal([1, 0])
    return printed[0] as string
  }

  it('each kind of payload is asked for from what a file holds, and the result is what a platform goes on with', async () => {
    expect(await signed('evm-tx', `${payment(1)}\n`, ' --path m/0/5')).match(/^0x02f8/)
    expect(await signed('evm-tx', payment(2).slice(2).toUpperCase())).match(/^0x02f8/)
    expect(await signed('raw', DIGEST)).match(/^0x[0-9a-f]{128}1[bc]$/)
    expect(await signed('typed-data', JSON.stringify(TYPED))).match(/^0x[0-9a-f]{128}1[bc]$/)
    const { body } = await h.get<{ publicKey: string; chainCode: string }>('/v1/keys/main')
    const psbt = psbtOf({ root: { publicKey: fromHex(body.publicKey), chainCode: fromHex(body.chainCode) } })
    const text = Buffer.from(psbt).toString('base64')
    expect(await signed('psbt', text))
      .equal(await signed('psbt', psbt))
      .not.equal(text)
    const asked = (await h.get<{ items: { payload: { type: string; bytes: string }; derivationPath: string }[] }>('/v1/signing-requests'))
      .body
    expect(asked.items.map((r) => r.payload.type)).deep.equal(['btc.psbt', 'btc.psbt', 'eip712', 'raw', 'evm.tx', 'evm.tx'])
    expect(asked.items[0]?.payload.bytes).equal(`0x${toHex(psbt)}`)
    expect(asked.items.at(-1)).include({ derivationPath: 'm/0/5' })
  })

  it('a request that waits for people ends the command with its id and the exit code for that, and "request wait" goes on', async () => {
    for (const node of h.cluster.nodes) {
      let isOpen = false
      node.intercept = async (request, honest) => {
        if ('approval' in request) {
          isOpen = true
          return { approvalTaken: { isNew: true } }
        }
        const answer = await honest()
        return 'verdict' in answer && !isOpen
          ? { verdict: { ...answer.verdict, allowed: false, code: 'PENDING_APPROVAL', reason: 'two people' } }
          : answer
      }
    }
    await writeFile(file('in'), payment(1))
    const waiting = await run(`sign evm-tx --key main --in ${file('in')} --deadline 600000 --idempotency-key order-1`, true)
    expect(waiting.exitCode).equal(WAITS_FOR_APPROVAL)
    const [id] = waiting.printed
    expect(id).match(/^[0-9a-f]{64}$/)
    expect(waiting.progress.at(-1)).equal(`conclave: request ${id} waits for approvals (PENDING_APPROVAL)`)
    expect(waiting.progress.some((line) => line.startsWith('Type: '))).equal(true)
    expect(
      (await run(`sign evm-tx --key main --in ${file('in')} --deadline 600000 --idempotency-key order-1 --no-wait`)).printed,
    ).deep.equal([id])
    const later = await run(`request wait --request ${id} --timeout 0.01 --json`, true)
    expect([later.exitCode, JSON.parse(later.printed.join()).state]).deep.equal([WAITS_FOR_APPROVAL, 'pending_approval'])
    const approval = {
      statement: toHex(tagged('fake-statement')),
      decision: 'approve',
      approver: 'alice',
      atMs: 1,
      signature: '11'.repeat(64),
    }
    await h.post(`/v1/signing-requests/${id}/approvals`, approval)
    await h.ended(id as string)
    const done = await run(`request wait --request ${id}`)
    expect([done.exitCode, done.printed.length, done.printed[0]?.slice(0, 6)]).deep.equal([0, 1, '0x02f8'])
  })

  it('request list, show, approvals and cancel', async () => {
    const id = await h.request(7)
    await h.ended(id)
    const { printed } = await run('request list --limit 1')
    expect(printed[0]?.split(/ +/)).deep.equal(['REQUEST', 'STATE', 'KEY', 'REQUESTER', 'CREATED'])
    expect(printed[1]).match(new RegExp(`^${id}  signed {2}main {2}\\w+ +2`))
    const shown = (await run(`request show --request ${id}`)).printed
    expect(shown[1]).match(/^signed, key main, of admin,/)
    expect(shown.filter((line) => line.startsWith('node '))).length.greaterThan(2)
    expect(shown.at(-1)).match(/^attempt 1 by nodes \d \d \d: signed$/)
    expect((await run(`request approvals --request ${id}`)).printed[0]).match(/^NODE +STATEMENT +APPROVED BY +REJECTED BY +SAYS$/)
    for (const i of [1, 2, 3]) h.cluster.node(i).kill()
    const open = await h.request(8)
    expect((await run(`request cancel --request ${open}`)).printed.join()).match(
      new RegExp(`^request ${open}: (cancelled|queued|decoded)$`),
    )
    expect(await h.ended(open)).include({ state: 'cancelled' })
  })

  it('node list and show', async () => {
    const { printed } = await run('node list')
    expect(printed).lengthOf(6)
    expect(printed[0]?.split(/ {2,}/)).deep.equal(['NODE', 'NAME', 'LINK', 'ROUND TRIP', 'ABLE', 'HSMS', 'KEYS', 'IN THE WAY'])
    const [first, ...rest] = (await run('node show --node 2')).printed
    expect(first).match(/^node 2: [a-z]+, /)
    expect(rest.some((line) => line.startsWith('key main: '))).equal(true)
    expect(JSON.parse((await run('node show --node 2 --json')).printed.join())).include({ index: 2 })
  })

  it('input that cannot be what it should be is refused before anything is asked for', async () => {
    const attempt = async (kind: string, input: string) => {
      await writeFile(file('in'), input)
      const asked = new Command().exitOverride()
      let code = ''
      const { stderr } = process
      const write = stderr.write.bind(stderr)
      // The one line of a failure goes to standard error.
      stderr.write = ((text: string) => {
        code = /\(([A-Z_]+)\)\n$/.exec(text)?.[1] ?? ''
        return true
      }) as typeof stderr.write
      try {
        addSignCommands(asked)
        await asked.parseAsync(
          ['sign', kind, '--key', 'main', '--in', file('in'), '--url', 'http://127.0.0.1:1', '--api-key-file', file('admin')],
          {
            from: 'user',
          },
        )
      } catch (error) {
        return codeOf(error)
      } finally {
        stderr.write = write
        process.exitCode = 0
      }
      return code
    }
    expect(await attempt('evm-tx', '0xzz')).equal('BAD_HEX')
    expect(await attempt('evm-tx', '')).equal('BAD_HEX')
    expect(await attempt('raw', 'a'.repeat(600 * 1024))).equal('INPUT_TOO_LONG')
    for (const text of [
      '{',
      '7',
      'null',
      '{"types":{},"domain":{},"message":{}}',
      '{"types":{},"primaryType":"A","domain":7,"message":{}}',
    ])
      expect(await attempt('typed-data', text), text).equal('BAD_TYPED_DATA')
  })
})
