import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { conclave, until } from '@conclave/testnet'
import { expect } from 'chai'
import { NAMES, useCluster } from '../rig/cluster.ts'
import { expectRefused, runConclave } from '../rig/command.ts'
import { createKey, signOnce } from '../rig/signing.ts'

const LOST = 'lisbon'
const CUSTODIANS = ['ada', 'bo', 'cy']

describe('backup and restore', () => {
  let desk: string
  const at = (file: string) => join(desk, file)
  before(async () => {
    desk = await mkdtemp(join(tmpdir(), 'conclave-custody-'))
  })
  after(() => rm(desk, { recursive: true, force: true }))

  const rig = useCluster({
    async first(cluster) {
      const lines = ['backup:', '  required: 2', '  custodians:']
      for (const name of CUSTODIANS) {
        const recipient = (await conclave('backup', 'keygen', '--out', at(`${name}.key`))).trim()
        lines.push(`    - { name: ${name}, recipient: ${recipient} }`)
      }
      for (const name of NAMES) await appendFile(join(cluster.dirOf(name), 'node.yaml'), `${lines.join('\n')}\n`)
    },
  })
  const backup = (act: string, ...args: string[]) => runConclave(['backup', act, ...args])
  const dir = (name = LOST) => ['--dir', rig().cluster.dirOf(name)]
  const json = async <T>(act: string, ...args: string[]): Promise<T> => {
    const { exitCode, stdout, stderr } = await backup(act, ...args, '--json')
    expect([exitCode, stderr]).to.deep.equal([0, ''])
    return JSON.parse(stdout) as T
  }
  const openPiece = async (who: string, to: string, out: string, file = 'backup') => {
    const identity = ['--identity', at(`${who}.key`), '--to', to, '--out', at(out), '--lock', at('lock-1.json')]
    return backup('open-piece', '--in', at(file), ...identity, '--yes')
  }
  const statusOf = async (name: string) => (await runConclave(['node', 'status', ...dir(name)])).stdout
  const lastEpochs = async () => (await rig().cluster.client.key('main')).backups.map((b) => b.lastBackupEpoch)

  /** The coordinator has links to exactly these nodes, and each can sign with the others. */
  async function able(names: readonly string[]): Promise<void> {
    const { cluster } = rig()
    await cluster.linked(names)
    const nodes = async () => (await cluster.client.nodes()).filter((n) => names.includes(n.name))
    await until(async () => (await nodes()).every((n) => n.availability.able), {
      timeoutMs: 60_000,
      what: `a quorum with each of ${names}`,
    })
  }

  it('create: an unbacked key is a warning at the node and at the coordinator until there is a backup of its epoch', async () => {
    await writeFile(at('lock-1.json'), await readFile(join(rig().cluster.dir, 'cluster.lock.json')))
    await createKey(rig(), 'main')
    expect(await statusOf(LOST)).to.include('warning: key main: epoch 0 is in no backup, it was never backed up')
    expect(await lastEpochs()).to.deep.equal([null, null, null])
    const made = await json<{ node: string; keys: unknown }>('create', ...dir(), '--out', at('backup'))
    expect(made).to.deep.include({ node: LOST, keys: [{ keyId: 'main', epoch: 0 }] })
    expect(await statusOf(LOST)).not.to.include('in no backup')
    await until(async () => (await lastEpochs())[2] === 0, { timeoutMs: 60_000, what: 'the report of the backup' })
    expect(await lastEpochs()).to.deep.equal([null, null, 0])
    const nodes = await rig().cluster.client.nodes()
    expect(nodes.map((n) => n.status?.keys[0]?.lastBackupEpoch)).to.deep.equal([null, null, 0])
    expectRefused(await backup('create', ...dir(), '--out', at('backup')), 'BACKUP_EXISTS')
  })

  it('verify and drill: whose it is and that it is current, and with two custodians that it would restore', async () => {
    const alone = await backup('verify', '--in', at('backup'), '--lock', at('lock-1.json'))
    expect([alone.exitCode, alone.stderr]).to.deep.equal([0, ''])
    expect(alone.stdout).to.match(/of node lisbon \(3\).*\n.*\nopens with 2 pieces of ada, bo, cy\n {2}key main, epoch 0\n/)
    expect((await backup('verify', '--in', at('backup'), ...dir())).stdout).to.include('key main, epoch 0: current')
    // A neighbour can say so too, and never opens it.
    expect((await backup('verify', '--in', at('backup'), ...dir('oslo'))).stdout).to.include('key main, epoch 0: current')
    expectRefused(await backup('drill', '--in', at('backup'), '--pieces', at('backup'), ...dir('oslo')), 'BACKUP_OTHER_NODE')

    const { recipient } = await json<{ recipient: string }>('drill', '--begin', ...dir())
    const asked = await runConclave([
      'backup',
      'open-piece',
      '--in',
      at('backup'),
      '--identity',
      at('ada.key'),
      '--to',
      recipient,
      '--out',
      at('no'),
    ])
    expectRefused({ ...asked, stdout: '' }, 'NOT_CONFIRMED')
    expect(asked.stdout).to.match(/of node lisbon[\s\S]*key main, epoch 0\nthe piece of ada will be readable by age1/)
    for (const who of ['ada', 'cy']) expect((await openPiece(who, recipient, `drill-${who}`)).exitCode).to.equal(0)
    const one = ['--in', at('backup'), '--pieces', at('drill-ada')]
    expectRefused(await backup('drill', ...dir(), ...one), 'PIECES_TOO_FEW', /1 of the 2 pieces/)
    const report = await json<{ drilledAt: string; openedBy: string[] }>('drill', ...dir(), ...one, at('drill-cy'))
    expect(report.openedBy).to.deep.equal(['ada', 'cy'])
    expect(Math.abs(Date.parse(report.drilledAt) - Date.now())).to.be.lessThan(600_000)
  })

  it('wrong usage is exit code 2: a step without what it needs', async () => {
    for (const act of ['drill', 'restore']) expect((await backup(act, ...dir(), '--in', at('backup'))).exitCode, act).to.equal(2)
    expect((await backup('create', ...dir())).exitCode).to.equal(2)
  })

  it('restore: directory and token are gone, two of three custodians bring the share back, and the node signs under the next lock', async function () {
    this.timeout(300_000)
    const { cluster } = rig()
    const key = await cluster.client.key('main')
    await cluster.destroy(LOST)
    const epochs = await backup('epochs', ...dir('zurich'), '--out', at('epochs'))
    expect(epochs.stdout).to.include('certificates of 1 keys')
    await cluster.replace(LOST, async () => {
      const { recipient } = await json<{ recipient: string }>('restore', '--begin', ...dir())
      for (const who of ['bo', 'cy']) expect((await openPiece(who, recipient, `restore-${who}`)).exitCode).to.equal(0)
      const files = ['--in', at('backup'), '--lock', at('lock-1.json'), '--epochs', at('epochs')]
      expectRefused(await backup('restore', ...dir(), ...files, '--pieces', at('restore-bo')), 'PIECES_TOO_FEW')
      expectRefused(await backup('restore', ...dir(), ...files, '--pieces', at('restore-bo'), at('drill-ada')), 'PIECE_SEALED', /drill-ada/)
      const restored = await backup('restore', ...dir(), ...files, '--pieces', at('restore-bo'), at('restore-cy'))
      expect([restored.exitCode, restored.stderr]).to.deep.equal([0, ''])
      expect(restored.stdout).to.match(
        /opened by bo, cy:\n {2}key main, epoch 0\nother nodes have shown that these epochs are the present ones\n/,
      )
      expectRefused(await backup('restore', ...dir(), ...files, '--pieces', at('restore-bo'), at('restore-cy')), 'RESTORE_NOT_EMPTY')
    })
    await able(NAMES)
    expect(await statusOf(LOST)).to.match(/key main: active, epoch 0.*restored from the backup of 20/)
    await cluster.kill('oslo')
    await able(['zurich', LOST])
    expect((await signOnce(rig(), key)).signers).to.deep.equal([1, 3])
    // Whatever the log is still waiting for: the entry is in it.
    const { stdout } = await runConclave(['audit', 'show', ...dir(), '--kind', 'backup.', '--json'])
    const told = stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as { kind: string; details: unknown }]))
    expect(told.map((e) => e.kind)).to.deep.equal(['backup.restored'])
    expect(told[0]?.details).to.deep.include({ keys: ['main:0'], keyCount: 1 })
    await cluster.startNodes(['oslo'])
    await able(NAMES)
  })

  it('afterwards: a reshare replaces the restored share, and the backup of before is stale everywhere', async () => {
    const { client } = rig().cluster
    const { operationId } = await client.reshareKey({ keyId: 'main' })
    expect((await client.waitForKey(operationId)).epoch).to.equal(1)
    await until(async () => (await statusOf(LOST)).includes('warning: key main: epoch 1 is in no backup, the last backup is of epoch 0'), {
      timeoutMs: 60_000,
      what: 'epoch 1 at the restored node',
    })
    const stale = await backup('verify', '--in', at('backup'), ...dir())
    expectRefused({ ...stale, stdout: '' }, 'BACKUP_STALE', /main/)
    expect(stale.stdout).to.include('key main, epoch 0: STALE: the key is in epoch 1')
    await signOnce(rig(), await client.key('main'))
  })
})
