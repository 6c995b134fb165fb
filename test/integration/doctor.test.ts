import { appendFile, chmod, cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readSettings } from '@conclave/node'
import { LocalCluster, until } from '@conclave/testnet'
import { openPkcs11Vault, prepareSoftHsm, provisionBackupHsm, softHsmModule } from '@conclave/vault'
import { expect } from 'chai'
import { POLICY } from '../rig/cluster.ts'
import { runConclave } from '../rig/command.ts'
import { filesBelow, withStopped } from '../rig/disk.ts'

interface Finding {
  readonly code: string
  readonly severity: string
  readonly subject: string
  readonly message: string
  readonly fix: string
}

interface Shown {
  readonly exitCode: number | null
  readonly findings: readonly Finding[]
  readonly checked: readonly string[]
  readonly skipped: readonly { readonly check: string; readonly why: string }[]
}

/** Faults of the machine that the tests run on are not the node's. */
const OF_THE_MACHINE = new Set(['CORE_DUMPS', 'CLOCK_NOT_SYNCHRONISED', 'DISK_LOW', 'DISK_FULL', 'STORE_ON_TMPFS', 'SOFTHSM_OLD'])

describe('conclave doctor as a process', () => {
  let root: string
  let cluster: LocalCluster

  const doctor = async (name: string, ...args: readonly string[]): Promise<Shown> => {
    const { exitCode, stdout, stderr } = await runConclave(['doctor', '--dir', join(root, name), '--json', ...args])
    expect(stderr).to.equal('')
    return { exitCode, ...(JSON.parse(stdout) as Omit<Shown, 'exitCode'>) }
  }
  const above = ({ findings }: Shown) => findings.filter((f) => f.severity !== 'info' && !OF_THE_MACHINE.has(f.code))
  const told = (shown: Shown) => above(shown).map((f) => `${f.severity} ${f.code} ${f.subject}`)

  /** @returns the recipient of a new age identity. */
  async function custodian(dir: string, name: string): Promise<string> {
    const { stdout } = await runConclave(['backup', 'keygen', '--out', `${dir}-${name}`])
    return /age1[a-z0-9]+/.exec(stdout)?.[0] ?? ''
  }

  /** What operators do after the ceremony: the security officer's PIN leaves, a second HSM comes, and the store's key is sealed to it. */
  async function makeClean(dir: string): Promise<void> {
    const { stdout } = await runConclave(['approver', 'keygen', '--out', `${dir}-platform.pem`])
    await appendFile(join(dir, 'policy.yaml'), `requesters: [{ name: platform, key: "${stdout.trim()}" }]\n`)
    await rename(join(dir, 'so-pin'), join(dir, '..', `so-pin-of-${dir.split('/').at(-1)}`))
    await mkdir(join(dir, 'backup'), { mode: 0o700 })
    const env = await prepareSoftHsm(join(dir, 'backup'))
    const pin = { file: join(dir, 'backup', 'pin') }
    const soPin = { file: join(dir, 'backup', 'officer') }
    await writeFile(pin.file, 'Zf3-kLq9_vB2x\n', { mode: 0o400 })
    await writeFile(soPin.file, 'pW7_tRn4-yH8c\n', { mode: 0o400 })
    const backup = { name: 'backup', module: softHsmModule() as string, token: 'conclave-backup', pin, env }
    const { tokenSerial } = await provisionBackupHsm({ ...backup, createToken: { soPin } })
    await rm(soPin.file)
    const file = join(dir, 'node.yaml')
    const entry = JSON.stringify({ ...backup, serial: tokenSerial })
    const text = await readFile(file, 'utf8')
    const edited = text.replace(/^hsm:\n((?: .*\n)+)/m, (_all, first: string) => `hsm:\n${first}  - ${entry}\n`)
    const recipients = [await custodian(dir, 'ida'), await custodian(dir, 'olav')]
    const custodians = recipients.map((recipient, i) => `{ name: c${i}, recipient: ${recipient} }`)
    await writeFile(file, `${edited}backup: { required: 2, custodians: [${custodians.join(', ')}] }\n`)
  }

  /** As a rewrap does: sealed to every HSM of the settings. */
  async function sealToAll(dir: string): Promise<void> {
    const file = join(dir, 'store.key')
    let record: Uint8Array | undefined
    await withStopped(dir, async ({ sealed, vault }) => {
      const own = sealed.find((s) => s.name === 'store key')
      if (own === undefined) throw new Error('no store key')
      using secret = await vault.open(own.context, own.record)
      record = await vault.seal(own.context, secret.bytes)
    })
    await writeFile(file, record as Uint8Array)
  }

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'conclave-doctor-'))
    cluster = await LocalCluster.create({ dir: root, names: ['zurich', 'oslo', 'lisbon'], required: 2, policy: POLICY })
    await makeClean(cluster.dirOf('zurich'))
    await cluster.startNodes(['oslo', 'lisbon'])
  })
  after(async () => {
    await cluster?.stop()
    await rm(root, { recursive: true, force: true })
  })

  it('doctor: a backup HSM that cannot open the key of the store is found while the node is stopped', async () => {
    const shown = await doctor('zurich')
    expect(told(shown)).to.deep.equal(['warning SEALS_MISSING backup'])
    expect(shown.exitCode).to.equal(1)
    await sealToAll(cluster.dirOf('zurich'))
    expect(told(await doctor('zurich'))).to.deep.equal([])
  })

  it('doctor: a clean running node has no finding above info, and exit code 0', async () => {
    await cluster.startNodes(['zurich'])
    const ready = async () => {
      const { stdout } = await runConclave(['node', 'status', '--dir', cluster.dirOf('zurich'), '--json'])
      return (JSON.parse(stdout) as { pairs: { state: string }[] }).pairs.every((p) => p.state === 'ready')
    }
    await until(ready, { timeoutMs: 60_000, what: 'pairs of zurich' })
    const shown = await doctor('zurich')
    expect(told(shown)).to.deep.equal([])
    if (shown.findings.every((f) => f.severity === 'info')) expect(shown.exitCode).to.equal(0)
    // Only the machine may keep a check from running.
    expect(shown.skipped.map((s) => s.check).filter((c) => c !== 'clock synchronised')).to.deep.equal([])
    expect(shown.checked).to.include.members([
      'login (backup)',
      'clock against the peers',
      "the peers' tokens",
      'seals of the records',
      'identity',
    ])
  })

  it('doctor: a stopped peer is named, with what to do; --offline connects to nobody and says so', async () => {
    await cluster.stopOne('oslo')
    const down = async () => (await doctor('zurich')).findings.some((f) => f.code === 'LINK_DOWN')
    await until(down, { timeoutMs: 60_000, what: 'the link to oslo' })
    const shown = await doctor('zurich')
    expect(told(shown)).to.deep.equal(['warning PEER_UNREACHABLE oslo', 'warning LINK_DOWN oslo'])
    expect(shown.exitCode).to.equal(1)
    const offline = await doctor('zurich', '--offline')
    expect(told(offline)).to.deep.equal(['warning LINK_DOWN oslo'])
    expect(offline.skipped).to.deep.include({ check: 'peers reachable', why: '--offline' })
  })

  it('doctor: a default PIN in a file that others may read, and the fixes', async () => {
    const dir = cluster.dirOf('oslo')
    const good = await readFile(join(dir, 'pin'))
    await writeFile(join(dir, 'pin'), '12345678\n')
    await chmod(join(dir, 'pin'), 0o644)
    const shown = await doctor('oslo')
    const pins = above(shown).filter((f) => f.code.startsWith('PIN'))
    expect(pins.map((f) => [f.severity, f.code])).to.deep.equal([
      ['critical', 'PIN_FILE_MODE'],
      ['critical', 'PIN_DEFAULT'],
    ])
    expect(pins[0]?.fix).to.equal(`chmod 0400 ${join(dir, 'pin')}`)
    expect(shown.exitCode).to.equal(2)
    expect(shown.skipped.map((s) => s.check)).to.include('keys (primary)')
    expect(JSON.stringify(shown)).to.not.include('12345678')
    await writeFile(join(dir, 'pin'), good)
    await chmod(join(dir, 'pin'), 0o600)
  })

  it('doctor: a wrong PIN is tried once, and never again while the token counts it', async () => {
    const dir = cluster.dirOf('oslo')
    const good = await readFile(join(dir, 'pin'))
    await writeFile(join(dir, 'pin'), 'Wr0ng-but-long\n')
    const [first, second] = [await doctor('oslo'), await doctor('oslo')]
    expect(told(first)).to.include('critical PIN_INCORRECT primary')
    expect(told(second)).to.include('warning PIN_COUNT_LOW primary')
    expect(told(second)).to.not.include('critical PIN_INCORRECT primary')
    await writeFile(join(dir, 'pin'), good)
    // What the node does at its start with the right PIN clears the counter.
    const vault = await openPkcs11Vault({ hsms: readSettings(join(dir, 'node.yaml')).hsms })
    await vault.close()
    expect(told(await doctor('oslo')).filter((t) => t.includes('PIN_') && !t.includes('SO_PIN'))).to.deep.equal([])
  })

  it('doctor: two nodes on one token, of which one has a wrong module path, and neither is changed by looking', async () => {
    const dir = cluster.dirOf('oslo')
    const twin = join(root, 'oslo-copy')
    await cp(dir, twin, { recursive: true, filter: (source) => !/\.log$|\.sock$/.test(source) })
    const settings = join(twin, 'node.yaml')
    await writeFile(settings, (await readFile(settings, 'utf8')).replace(/module: \S+/, 'module: /nonexistent/libhsm.so'))
    const before = [await filesBelow(dir), await filesBelow(twin)]
    const [own, copy] = [await doctor('oslo'), await doctor('oslo-copy')]
    expect(told(own)).to.include('critical TOKEN_SHARED primary')
    expect(own.findings.find((f) => f.code === 'TOKEN_SHARED')?.message).to.include(twin)
    expect(told(copy)).to.include.members(['critical TOKEN_SHARED primary', 'critical MODULE_MISSING primary'])
    expect(copy.findings.find((f) => f.code === 'MODULE_MISSING')?.fix).to.include('hsm[primary].module in node.yaml')
    expect([await filesBelow(dir), await filesBelow(twin)]).to.deep.equal(before)
    await rm(twin, { recursive: true })
  })

  it('doctor: a port that another process has, and a lock that is not signed', async () => {
    const dir = join(root, 'oslo-2')
    await cp(cluster.dirOf('oslo'), dir, { recursive: true, filter: (source) => !/\.log$|\.sock$/.test(source) })
    const { listen } = readSettings(join(cluster.dirOf('lisbon'), 'node.yaml'))
    const settings = join(dir, 'node.yaml')
    await writeFile(settings, (await readFile(settings, 'utf8')).replace(/\/ip4\/\S+/, String(listen[0])))
    const lock = join(dir, 'cluster.lock.json')
    await writeFile(lock, (await readFile(lock, 'utf8')).replace('"required": 2', '"required": 3'))
    const shown = await doctor('oslo-2')
    expect(told(shown)).to.include.members([`critical LISTEN_IN_USE ${listen[0]}`, `critical LOCK_UNSIGNED ${lock}`])
    await rm(dir, { recursive: true })
  })

  it('doctor: settings that do not parse leave every other check skipped by name, and no crash', async () => {
    const dir = join(root, 'broken')
    await mkdir(dir, { mode: 0o700 })
    await writeFile(join(dir, 'node.yaml'), 'node: {name: [\n')
    const shown = await doctor('broken')
    expect(told(shown)).to.deep.equal([`critical SETTINGS_INVALID ${join(dir, 'node.yaml')}`])
    expect(shown.exitCode).to.equal(2)
    expect(shown.skipped.map((s) => s.check)).to.include.members(['HSMs', 'cluster lock', 'policy', 'disk', 'links', 'pairs'])
    await rm(dir, { recursive: true })
    const nowhere = await doctor('nowhere')
    expect([nowhere.exitCode, nowhere.findings[0]?.code]).to.deep.equal([2, 'SETTINGS_INVALID'])
  })

  it('doctor: people get two lines for each finding and one for each check that could not run', async () => {
    const { stdout, exitCode } = await runConclave(['doctor', '--dir', cluster.dirOf('oslo'), '--offline'])
    expect(exitCode).to.equal(1)
    const lines = stdout.trimEnd().split('\n')
    expect(lines.filter((l) => l.startsWith('  fix: ')).length).to.equal(
      lines.filter((l) => /^(critical|warning|info) [A-Z_]+ /.test(l)).length,
    )
    expect(lines).to.include('skipped peers reachable: --offline')
    expect(lines.at(-1)).to.match(/^\d+ checks, \d+ skipped: 0 critical, \d+ warnings, \d+ infos$/)
  })
})
