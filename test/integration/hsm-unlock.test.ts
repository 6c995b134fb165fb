import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, openSync, statSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AdminHsm, type AdminStatus, askAdmin, readSettings } from '@conclave/node'
import { CONCLAVE, LocalCluster, until } from '@conclave/testnet'
import { prepareSoftHsm, provisionBackupHsm, softHsmModule } from '@conclave/vault'
import { memoryHolds, runOnTerminal, runWithoutTerminal, TERMINAL_MISSING } from '@conclave/vault/providers'
import { expect } from 'chai'
import { POLICY } from '../rig/cluster.ts'
import { shownBy } from '../rig/processes.ts'

const MISSING = softHsmModule() === undefined ? 'SoftHSM2 is not installed' : TERMINAL_MISSING
const START_TIMEOUT_MS = 60_000
const PIN = 'second-pin-0815'

describe(`conclave hsm unlock${MISSING === undefined ? '' : ` (skipped: ${MISSING})`}`, () => {
  let root: string
  let dir: string
  let settings: string
  let node: ChildProcess | undefined
  let starts = 0

  const file = (name: string) => join(dir, name)
  const socket = (hsm: string) => file(`hsm-${hsm}.pin.sock`)

  before(async function () {
    if (MISSING !== undefined) this.skip()
    root = await mkdtemp(join(tmpdir(), 'conclave-unlock-'))
    const cluster = await LocalCluster.create({ dir: root, names: ['zurich', 'oslo'], required: 2, policy: POLICY })
    dir = cluster.dirOf('zurich')
    settings = await readFile(file('node.yaml'), 'utf8')
  })
  afterEach(async () => {
    if (node?.exitCode === null && node.signalCode === null) {
      node.kill('SIGKILL')
      await once(node, 'exit')
    }
    if (settings !== undefined) await writeFile(file('node.yaml'), settings)
  })
  after(async () => {
    if (root !== undefined) await rm(root, { recursive: true, force: true })
  })

  const logFile = () => file(`unlock-${starts}.log`)
  const logged = (text: string) =>
    until(async () => (await readFile(logFile(), 'utf8')).includes(text), { timeoutMs: START_TIMEOUT_MS, what: text })
  /** The node as a service manager starts it: in a session without a terminal. */
  const start = (): void => {
    starts++
    const log = openSync(logFile(), 'w')
    node = spawn(process.execPath, [CONCLAVE, 'node', '--dir', dir], { detached: true, stdio: ['ignore', log, log] })
  }
  const hsm = async (name: string): Promise<AdminHsm | undefined> =>
    ((await askAdmin(file('admin.sock'), '/v1/status')) as AdminStatus).hsm.find((h) => h.name === name)
  const unlock = (name: string, pin: string) =>
    runOnTerminal([CONCLAVE, 'hsm', 'unlock', '--dir', dir, '--hsm', name, '--json'], [{ when: 'PIN of HSM ', type: `${pin}\r` }])

  /** A second token, whose PIN nobody but a person knows. */
  const addSecond = async (): Promise<void> => {
    const env = await prepareSoftHsm(file('second'))
    await Promise.all([writeFile(file('second/pin'), PIN, { mode: 0o400 }), writeFile(file('second/so-pin'), 'so-0815', { mode: 0o400 })])
    const second = { name: 'second', module: softHsmModule() as string, token: 'second', env }
    const pin = { file: file('second/pin') }
    const { tokenSerial } = await provisionBackupHsm({ ...second, pin, createToken: { soPin: { file: file('second/so-pin') } } })
    await rm(file('second/pin'))
    const entry = JSON.stringify({ ...second, serial: tokenSerial, pin: { prompt: true } })
    await writeFile(file('node.yaml'), settings.replace(/^p2p:/m, `  - ${entry}\np2p:`))
  }

  it('hsm unlock: an HSM waits for its PIN while another one serves; a person brings it past the node, to the agent alone', async () => {
    await addSecond()
    start()
    await logged('"node is up"')
    await logged('waits for its PIN')
    expect(await hsm('second')).to.include({ state: 'refused', code: 'PIN_NEEDED', short: 1 })
    expect((await hsm('primary'))?.state).to.equal('up')
    expect(statSync(socket('second')).mode & 0o777).to.equal(0o600)

    const wrong = await unlock('second', 'not-this-one')
    expect([wrong.exitCode, /PIN_INCORRECT/.test(wrong.text)], wrong.text).to.deep.equal([1, true])
    expect((await hsm('second'))?.code).to.equal('PIN_NEEDED')
    const blind = await runWithoutTerminal([CONCLAVE, 'hsm', 'unlock', '--dir', dir, '--hsm', 'second'])
    expect([blind.exitCode, /\(PIN_NEEDED\)\n$/.test(blind.text)], blind.text).to.deep.equal([1, true])

    const right = await unlock('second', PIN)
    expect([right.exitCode, /"outcome":"in-service"/.test(right.text)], right.text).to.deep.equal([0, true])
    expect(await hsm('second')).to.include({ state: 'up', code: null })
    expect(existsSync(socket('second'))).to.equal(false)
    for (const shown of [...(await shownBy([node?.pid as number])), await readFile(logFile(), 'utf8'), right.text])
      expect(shown).not.to.include(PIN)
    // Undefined where the system does not let us look.
    expect(memoryHolds(node?.pid as number, Buffer.from(PIN))).not.to.equal(true)
    expect(await readFile(logFile(), 'utf8')).to.include('"event":"hsm.unlocked"')
    const again = await unlock('second', PIN)
    expect([again.exitCode, /"state":"up"/.test(again.text)], again.text).to.deep.equal([0, true])
  })

  it('hsm unlock: a node whose only HSM waits for its PIN goes on with its start when a person brings it', async () => {
    await writeFile(file('node.yaml'), settings.replace(/pin:\n\s+file: .*\n/, 'pin: { prompt: true }\n'))
    start()
    await logged('waits for its PIN')
    const shown = await unlock('primary', (await readFile(file('pin'), 'utf8')).trim())
    expect([shown.exitCode, /"outcome":"handed-over"/.test(shown.text)], shown.text).to.deep.equal([0, true])
    await logged('"node is up"')
    expect((await hsm('primary'))?.state).to.equal('up')
  })

  it('hsm unlock: a node that is started on a terminal asks there by itself', async () => {
    await writeFile(file('node.yaml'), settings.replace(/pin:\n\s+file: .*\n/, 'pin: { prompt: true }\n'))
    const pin = (await readFile(file('pin'), 'utf8')).trim()
    const asked = [
      { when: 'PIN of HSM primary', type: `${pin}\r` },
      { when: '"node is up"', type: '\x03' },
    ]
    const shown = await runOnTerminal([CONCLAVE, 'node', '--dir', dir], asked)
    expect(shown.exitCode, shown.text).to.equal(0)
    expect(shown.text).to.include('node stopped')
    expect(shown.text).not.to.include(pin)
  })

  it('hsm unlock: without a node the token takes the PIN all the same; an HSM that the node does not have is named', async () => {
    const shown = await unlock('primary', (await readFile(file('pin'), 'utf8')).trim())
    expect([shown.exitCode, /"outcome":"not-running"/.test(shown.text)], shown.text).to.deep.equal([0, true])
    const unknown = await unlock('third', 'x')
    expect([unknown.exitCode, /it has primary \(UNKNOWN_HSM\)/.test(unknown.text)], unknown.text).to.deep.equal([1, true])
    expect(readSettings(file('node.yaml')).hsms).to.have.length(1)
  })
})
