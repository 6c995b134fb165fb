import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { Command } from 'commander'
import { addPolicyCommands } from './policy-commands.ts'

const TO = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
const text = (sequence: number, maxWei: number) => `version: 1
sequence: ${sequence}
rules:
  - { name: pay, effect: allow, when: { chains: [31337], destinations: ['${TO}'], amountMaxWei: '${maxWei}' } }
`

describe('conclave policy', () => {
  let dir: string
  const file = (name: string) => join(dir, name)

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'conclave-cli-policy-'))
    await writeFile(file('one.yaml'), text(1, 1000))
    await writeFile(file('two.yaml'), text(2, 4))
    // 5 wei to the address, unsigned.
    await writeFile(file('payload.hex'), `02e1827a6980010a82520894${TO.slice(2).toLowerCase()}0580c0\n`)
  })
  after(() => rm(dir, { recursive: true }))

  /** What a command prints, and its exit code. */
  async function run(
    ...args: readonly string[]
  ): Promise<{ readonly printed: readonly string[]; readonly exitCode: number | string | null | undefined }> {
    const printed: string[] = []
    const program = new Command().exitOverride()
    addPolicyCommands(program, (line) => void printed.push(line))
    const before = process.exitCode
    process.exitCode = undefined
    try {
      await program.parseAsync(['policy', ...args], { from: 'user' })
      return { printed, exitCode: process.exitCode }
    } finally {
      process.exitCode = before
    }
  }

  it('show: what a file says, and what it changes', async () => {
    const alone = await run('show', file('one.yaml'))
    expect(alone.printed[0]).to.match(/^sequence 1, hash [0-9a-f]{64}$/)
    expect(alone.printed[1]).to.match(/^rule "pay": allow when /)
    const changed = await run('show', file('two.yaml'), '--against', file('one.yaml'))
    expect(changed.printed.map((line) => line.slice(0, 12))).to.deep.equal(['sequence 2, ', 'against sequ', '- rule "pay"', '+ rule "pay"'])
    const json = JSON.parse((await run('show', file('two.yaml'), '--against', file('one.yaml'), '--json')).printed[0] as string)
    expect([json.sequence, json.against, json.lines.length]).to.deep.equal([2, 1, 2])
  })

  it('simulate: a yes is exit code 0, a no is 3, and both say why', async () => {
    const ask = (policy: string, ...more: readonly string[]) =>
      run('simulate', '--payload', file('payload.hex'), '--key', 'k', '--policy', file(policy), ...more)
    const yes = await ask('one.yaml')
    expect([yes.exitCode, yes.printed.at(-2)]).to.deep.equal([undefined, 'allowed: ALLOWED, rule "pay" allows this'])
    const no = await ask('two.yaml', '--json')
    expect(no.exitCode).to.equal(3)
    expect(JSON.parse(no.printed[0] as string)).to.include({ allowed: false, code: 'AMOUNT_OVER_LIMIT' })
    expect((await ask('one.yaml', '--at', 'yesterday')).exitCode).to.equal(1)
  })

  it('sign: neither a lock nor a node is named, and nothing is signed', async () => {
    expect(await run('sign', file('one.yaml'), '--key', file('none.pem'))).to.deep.equal({ printed: [], exitCode: 1 })
  })
})
