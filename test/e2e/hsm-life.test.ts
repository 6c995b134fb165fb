import { cp, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { AdminHsms, AdminRotation } from '@conclave/node'
import { expect } from 'chai'
import { settled, useCluster } from '../rig/cluster.ts'
import { expectRefused, runConclave } from '../rig/command.ts'
import { createKey, signWith } from '../rig/signing.ts'

describe('life of the HSMs of a node', () => {
  const rig = useCluster()
  let key: { keyId: string; publicKey: string }

  before(async () => {
    key = { keyId: 'vault', publicKey: await createKey(rig(), 'vault') }
  })

  const dir = () => rig().cluster.dirOf('zurich')
  const at = (file: string) => join(dir(), file)
  const hsm = (command: string, ...args: readonly string[]) => runConclave(['hsm', command, '--dir', dir(), ...args])
  const statusOf = async (): Promise<AdminHsms> => JSON.parse((await hsm('status', '--json')).stdout)
  const without = async () => (await statusOf()).hsms.map((h) => [h.name, h.recordsWithout])
  const sign = () => signWith(rig(), key, [1, 2])
  async function restart(): Promise<void> {
    await rig().cluster.stopOne('zurich')
    await rig().cluster.startNodes(['zurich'])
    await settled(rig())
  }

  it('hsm init: a backup is made beside a running node, its lines are written, and no KEK is made twice', async () => {
    const before = await readFile(at('node.yaml'), 'utf8')
    const told = await hsm('init', '--name', 'archive', '--module', '/nonexistent.so', '--token', 't', '--pin-file', at('pin'))
    expectRefused(told, 'MODULE_MISSING')
    expectRefused(await hsm('init', '--name', 'primary'), 'HSM_EXISTS')
    expectRefused(await hsm('init', '--name', 'x', '--module', 'm'), 'BAD_TOKEN')
    const { stdout, exitCode } = await hsm('init', '--name', 'backup', '--write')
    expect(exitCode, stdout).to.equal(0)
    expect(stdout).to.match(/^hsm backup is ready: token conclave-zurich-backup, serial [0-9a-f]{16}, profile gcm\nthen restart/)
    const after = await readFile(at('node.yaml'), 'utf8')
    // Every line that was there before, in its order.
    const lines = after.split('\n')
    expect(before.split('\n').every((line) => lines.includes(line))).to.equal(true)
    for (const file of ['pin-backup', 'so-pin-backup', 'node.yaml']) expect((await stat(at(file))).mode & 0o077, file).to.equal(0)
    expectRefused(await hsm('init', '--name', 'backup'), 'HSM_EXISTS')
  })

  it('hsm rewrap: the new backup is caught up, and then opens everything', async () => {
    await restart()
    const { records } = await statusOf()
    expect(records).to.equal(4)
    expect(await without()).to.deep.equal([
      ['primary', 0],
      ['backup', 4],
    ])
    const shown = (await hsm('status')).stdout
    expect(shown).to.match(/^hsm backup: ok, .*KEK generation 1, 4 records have no wrap for it: run "conclave hsm rewrap"$/m)
    expect((await hsm('rewrap')).stdout).to.equal('4 of 4 records rewrapped, the others were up to date\n')
    expect(await without()).to.deep.equal([
      ['primary', 0],
      ['backup', 0],
    ])
    expect((await hsm('rewrap')).stdout).to.equal('0 of 4 records rewrapped, the others were up to date\n')
    await sign()
  })

  it('hsm rotate-kek: the node signs meanwhile and after a restart, and a disk of before is refused for good', async () => {
    const disk = ['store', 'store.key']
    await rig().cluster.stopOne('zurich')
    for (const file of disk) await cp(at(file), at(`old-${file}`), { recursive: true })
    await rig().cluster.startNodes(['zurich'])
    await settled(rig())
    const rotating = hsm('rotate-kek', '--json')
    for (let i = 0; i < 3; i++) await sign()
    const rotation = JSON.parse((await rotating).stdout) as AdminRotation
    expect([rotation.generation, rotation.records, rotation.rewrapped, rotation.hsms]).to.deep.equal([2, 4, 4, ['primary', 'backup']])
    expect((await statusOf()).hsms.map((h) => h.kek?.generations)).to.deep.equal([[2], [2]])
    await restart()
    await sign()

    await rig().cluster.stopOne('zurich')
    const put = async (files: readonly string[], from: string) => {
      for (const file of files) {
        await rm(at(file), { recursive: true })
        await cp(at(`${from}-${file}`), at(file), { recursive: true })
      }
    }
    for (const file of disk) await cp(at(file), at(`new-${file}`), { recursive: true })
    // All of the disk, and the database alone.
    for (const files of [disk, ['store']]) {
      await put(files, 'old')
      expectRefused(await runConclave(['node', '--dir', dir()]), 'KEK_DESTROYED', /rotation has destroyed: this is an old copy of the disk/)
      await put(files, 'new')
    }
    await rig().cluster.startNodes(['zurich'])
    await settled(rig())
    expect((await statusOf()).hsms.map((h) => h.kek?.generations)).to.deep.equal([[2], [2]])
    await sign()
  })

  it('hsm rotate-kek: a node that is killed in the middle starts, signs, and completes it', async () => {
    const rotating = hsm('rotate-kek')
    await rig().cluster.kill('zurich')
    expect((await rotating).exitCode).to.equal(1)
    await rig().cluster.startNodes(['zurich'])
    await settled(rig())
    await sign()
    expect((await hsm('rotate-kek')).exitCode).to.equal(0)
    const generations = (await statusOf()).hsms.map((h) => h.kek?.generations)
    expect(generations.every((g) => g?.length === 1)).to.equal(true)
    await sign()
  })

  it('hsm rotate-kek: with an HSM gone it is refused with the way out, and goes without it when told so', async () => {
    await rename(at('softhsm-backup/tokens'), at('softhsm-backup/away'))
    expectRefused(await hsm('rotate-kek'), 'TOKEN_LOST', /--without backup/)
    const { stdout } = await hsm('rotate-kek', '--without', 'backup')
    expect(stdout).to.match(/primary hold KEK generation \d+ and no other.*\nthe KEKs of backup are as they were/)
    await rename(at('softhsm-backup/away'), at('softhsm-backup/tokens'))
    await sign()
    expect((await hsm('rewrap')).exitCode).to.equal(0)
    expect(await without()).to.deep.equal([
      ['primary', 0],
      ['backup', 0],
    ])
  })

  it('hsm destroy: refused while the node runs, for the HSM with the identity, and without the name once more; then the backup is gone', async () => {
    expectRefused(await hsm('destroy', '--hsm', 'backup', '--yes', 'backup'), 'STORE_LOCKED')
    await rig().cluster.stopOne('zurich')
    expectRefused(await hsm('destroy', '--hsm', 'backup', '--yes', 'primary'), 'NOT_CONFIRMED')
    expectRefused(await hsm('destroy', '--hsm', 'primary', '--yes', 'primary'), 'IDENTITY_HELD')
    const { stdout, exitCode } = await hsm('destroy', '--hsm', 'backup', '--yes', 'backup')
    expect([exitCode, /^hsm backup: KEK generation \d+ \([0-9a-f]{32}\) is destroyed\nremove backup/.test(stdout)]).to.deep.equal([0, true])
    expectRefused(await runConclave(['node', '--dir', dir()]), 'KEY_MISSING', /hsm "backup"/)
  })
})
