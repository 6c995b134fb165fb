import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { utf8 } from '@conclave/core'
import { expect } from 'chai'
import { Stage, wellFormed } from './conformance.ts'
import { LoopbackProxy } from './loopback-proxy.ts'
import { clusterWithDialer, type Directory, loopbackWorld } from './loopback-rig.ts'
import type { Transport } from './transport.ts'

const cluster = clusterWithDialer()
const node1 = cluster.member('node-1')

describe('libp2p: peers that die', () => {
  let stage: Stage
  let directory: Directory
  let proxy: LoopbackProxy | undefined
  let children: ChildProcess[]

  beforeEach(() => {
    directory = new Map()
    children = []
    proxy = undefined
    stage = new Stage(loopbackWorld({ pingIntervalMs: 50, pingTimeoutMs: 500 }, directory), cluster)
  })

  afterEach(async () => {
    await stage.close()
    await proxy?.stop()
    for (const child of children) child.kill('SIGKILL')
  })

  /** node-3 dials node-1 through the proxy. */
  async function viaProxy(): Promise<LoopbackProxy> {
    await stage.start('node-1')
    const port = Number(stage.of('node-1').addresses()[0]?.split('/').at(-1))
    const started = await LoopbackProxy.start(() => port)
    proxy = started
    directory.set(node1.peerId, () => [started.address])
    await stage.start('node-3')
    await stage.untilUp(['node-1', 'node-3'])
    return started
  }

  async function works(): Promise<void> {
    const before = stage.frames('node-1', 'node-3').length
    stage.send('node-3', 'node-1', utf8('again'))
    await stage.until(() => stage.frames('node-1', 'node-3').length === before + 1, 'a frame on the new link')
    for (const [at, from] of [
      ['node-1', 'node-3'],
      ['node-3', 'node-1'],
    ] as const) {
      expect(wellFormed(stage.seen, at, cluster.member(from))).to.equal(true)
      expect(stage.status(at, from).reconnects).to.equal(1)
    }
  }

  it('black hole: pings find it on both sides, and the link comes back', async () => {
    const hole = await viaProxy()
    hole.freeze()
    await stage.until(() => stage.ups('node-1', 'node-3') === 2 && stage.isUp('node-1', 'node-3'), 'a second link')
    const reasons = stage.seen.filter((s) => s.kind === 'down').map((s) => s.reason)
    expect(reasons).to.include('CONNECTION_LOST')
    await works()
  })

  it('half open: the side that heard nothing takes the newest link and reports the old one REPLACED', async () => {
    await stage.close()
    // Pings must not find it first.
    stage = new Stage(loopbackWorld({}, directory), cluster)
    const cut = await viaProxy()
    cut.dropDialler()
    await stage.until(() => stage.ups('node-1', 'node-3') === 2 && stage.isUp('node-1', 'node-3'), 'a second link')
    expect(stage.seen.filter((s) => s.at === 'node-1' && s.kind === 'down').map((s) => s.reason)).to.deep.equal(['REPLACED'])
    await works()
  })

  it('ping: round trip is measured and takes no link down', async () => {
    await viaProxy()
    const status = () => stage.status('node-1', 'node-3')
    // Frames are what makes the stage look again.
    const beat = setInterval(() => stage.send('node-3', 'node-1', utf8('beat')), 20)
    try {
      await stage.until(() => status().roundTripMs !== undefined, 'a round trip')
    } finally {
      clearInterval(beat)
    }
    expect(status().roundTripMs).to.be.at.least(0)
    expect(status().reconnects).to.equal(0)
  })

  it('SIGKILL: the death of a process is seen, and its successor gets a link', async () => {
    await stage.start('node-1')
    const transport: Transport = stage.of('node-1')
    const status = () => stage.status('node-1', 'node-3')
    for (const life of [1, 2]) {
      const child = spawn(process.execPath, [join(import.meta.dirname, 'link-child.ts'), transport.addresses()[0] ?? ''], {
        stdio: 'inherit',
      })
      children.push(child)
      await stage.until(() => stage.frames('node-1', 'node-3').length === life, 'a frame of the child')
      child.kill('SIGKILL')
      await once(child, 'exit')
      await stage.until(() => !status().up, 'its death')
      expect(status().downReason).to.equal('CONNECTION_LOST')
    }
    expect(stage.ups('node-1', 'node-3')).to.equal(2)
  })
})
