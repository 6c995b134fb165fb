import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError } from '@conclave/core'
import { expect } from 'chai'
import { packedBytes } from './carbon.ts'
import type { Subject } from './figures.ts'
import { HOW_TO_INSTALL, loadPeers, PEERS, type PeerPackage } from './peers.ts'

const peer = (name: string): PeerPackage => ({
  name,
  licence: 'none',
  load: async (home, version) => ({ name, version, notes: [home], operations: [] }) satisfies Subject,
})

describe('bench: peers', () => {
  let dir: string
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'conclave-peers-'))
    await mkdir(join(dir, 'node_modules/@scope/there'), { recursive: true })
    await writeFile(join(dir, 'node_modules/@scope/there/package.json'), '{"version":"1.2.3"}')
  })
  after(() => rm(dir, { recursive: true }))

  it('bench: what is installed is loaded with its version, what is missing is named', async () => {
    const { subjects, missing } = await loadPeers(dir, [peer('@scope/there'), peer('absent')], 3, 5)
    expect(subjects).to.deep.equal([
      { name: '@scope/there', version: '1.2.3', notes: [join(dir, 'node_modules/@scope/there')], operations: [] },
    ])
    expect(missing).to.deep.equal(['absent'])
  })

  it('bench: a folder with none of them is refused in one line', async () => {
    for (const where of [dir, join(dir, 'nowhere')]) {
      const error: unknown = await loadPeers(where, [peer('absent')], 3, 5).catch((e: unknown) => e)
      expect(error).to.be.instanceOf(ConfigError)
      expect((error as ConfigError).code).to.equal('BENCH_NO_PEERS')
      expect((error as ConfigError).message).to.equal(`none of absent is installed in ${where}`)
    }
  })

  it('bench: the way to install them names each, and the licence that is not free', () => {
    for (const { name } of PEERS) expect(HOW_TO_INSTALL).to.include(name)
    expect(HOW_TO_INSTALL).to.include('non-commercial')
  })

  it('bench: no peer is a dependency of any package', async () => {
    const { readFile } = await import('node:fs/promises')
    const lock = await readFile(new URL('../../package-lock.json', import.meta.url), 'utf8')
    for (const { name } of PEERS) expect(lock).not.to.include(name)
  })

  it('bench: values are packed as tightly as can be', () => {
    expect(packedBytes({ point: 'ff00', bits: Array(16).fill(true), list: new Map([[1, [1, 2]]]), name: 'no hex' })).to.equal(2 + 2 + 2 + 6)
    expect(packedBytes(undefined) + packedBytes(null)).to.equal(0)
  })
})
