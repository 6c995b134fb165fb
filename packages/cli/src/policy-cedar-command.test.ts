import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { Command } from 'commander'
import { addPolicyCedarCommand } from './policy-cedar-command.ts'

const POLICY = `version: 1
sequence: 1
rules:
  - name: sweep
    effect: allow
    when: { payload: btc.psbt, keys: [k1], destinations: [bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4], amountMaxSat: "100", feeMaxSat: "9" }
  - name: frozen
    effect: deny
    when: { chains: [1] }
`

describe('conclave policy cedar', () => {
  let directory: string
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'conclave-policy-'))
  })
  after(() => rm(directory, { recursive: true, force: true }))
  afterEach(() => {
    process.exitCode = 0
  })

  async function run(text: string, ...options: readonly string[]): Promise<string> {
    const file = join(directory, 'policy.yaml')
    await writeFile(file, text)
    const printed: string[] = []
    const program = new Command().exitOverride()
    addPolicyCedarCommand(program, (line) => void printed.push(line))
    await program.parseAsync(['policy', 'cedar', file, ...options], { from: 'user' })
    return printed.join('\n')
  }

  it('prints each rule as one policy, in their order', async () => {
    expect(await run(POLICY)).equal(`@id("sweep")
permit (principal, action == Action::"btc.psbt", resource)
when { [Key::"k1"].contains(resource) }
when { context has destinations && ["script:0014751e76e8199196d454941c45d1b3a323f1433bd6"].containsAll(context.destinations) }
when { context.holds.contains("sat at most 100") }
when { context.holds.contains("fee in sat at most 9") };

@id("frozen")
forbid (principal, action, resource)
when { if context has chain then ["0", "1"].contains(context.chain) else action == Action::"raw" };`)
  })

  it('--schema prints the schema, --json both', async () => {
    const schema = await run(POLICY, '--schema')
    expect(schema).match(/^entity Requester;\n[\s\S]*action "evm.tx"/)
    const json = JSON.parse(await run(POLICY, '--json'))
    expect(json.schema.trimEnd()).equal(schema)
    expect(json.policies.map((p: { rule: string }) => p.rule)).deep.equal(['sweep', 'frozen'])
  })

  it('a file that is no policy prints nothing and fails', async () => {
    expect(await run(POLICY.replace('sequence: 1', ''))).equal('')
    expect(process.exitCode).equal(1)
  })
})
