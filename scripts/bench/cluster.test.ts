import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError } from '@conclave/core'
import { NODE_NAMES } from '@conclave/testnet'
import { expect } from 'chai'
import { figuresIn, measureBareRounds } from './bare-round.ts'
import { parseClusterOptions } from './cluster-options.ts'
import { mustBeFrom, pathOf, type Series } from './cluster-rig.ts'
import { clusterRatios, isReached, type LinkFigures, latencyRatio, namesOf } from './cluster-run.ts'
import { higher, residentKiB } from './memory.ts'
import { rateOf } from './peer-rate.ts'
import { COORDINATOR_SITE, FAR_LINKS, roundTripMs } from './sites.ts'

/** Of 1 wei, signed with the key 07...07, whose address is the second. */
const SIGNED =
  '0x02f864827a698001028252089470997970c51812dc3a010c7d01b50e0d17dc79c80180c080a0be69eb16b8b88e09f20b83c0d3f2bf0db957c63cbd3575096923087630f4c6e5a0702ac30ca557265c89ffcf4c9b14b47002658ca6c8239bc2a3ab9c590204310a'
const SENDER = '0x4a62316623ad457F02cDC5D997deD67a383EC569'
const MEMBERS = [...NODE_NAMES, 'coordinator']
const series = (inFlight: number, signaturesPerSecond: number): Series => ({
  requests: 10,
  inFlight,
  signaturesPerSecond,
  p50Ms: 1,
  p99Ms: 1,
  cpuMs: 1,
  processes: [],
  quorums: {},
  pool: { used: 0, missed: 0 },
})
const links = (all: readonly Series[]): LinkFigures => ({
  series: all,
  bare: {},
  cpuMs: 1,
  nodeCpuMs: 2,
  latencyRatio: 1.4,
  latencyRatioOfNode: 1.2,
})

describe('bench: the cluster', () => {
  it('bench: throughput is that of the most in flight over the best of the peers, on one core or on all', () => {
    const peers = [5, 9, 7].map((signaturesPerSecond, i) => ({ peer: 'x', threads: i + 1, signaturesPerSecond }))
    const loopback = links([series(1, 500), series(8, 400), series(32, 180)])
    const memory = {
      zurich: { ownMiB: 250, childrenMiB: 900 },
      oslo: { ownMiB: 260, childrenMiB: 0 },
      coordinator: { ownMiB: 800, childrenMiB: 0 },
    }
    const ratios = clusterRatios({ loopback, far: null, memory, peers })
    expect(ratios).to.deep.equal({ throughput: 20, throughputOneThread: 36, latencyLoopback: 1.4, latencyFar: null, nodeMiB: 260 })
    expect(clusterRatios({ loopback: null, far: null, memory: null, peers })).to.deep.equal({
      throughput: null,
      throughputOneThread: null,
      latencyLoopback: null,
      latencyFar: null,
      nodeMiB: null,
    })
    expect(clusterRatios({ loopback, far: null, memory: null, peers: [] }).throughput).to.equal(null)
  })

  it('bench: goals are reached from the right side', () => {
    expect([isReached('throughput', 15), isReached('throughput', 14.9)]).to.deep.equal([true, false])
    expect([isReached('latencyFar', 1.5), isReached('latencyFar', 1.51)]).to.deep.equal([true, false])
    expect([isReached('nodeMiB', 299), isReached('nodeMiB', 300)]).to.deep.equal([true, false])
  })

  it('bench: a latency is held against the rounds of its own quorum', () => {
    const bare: Record<string, number> = { '1-2-3': 90, '1-2-4': 190 }
    const ratio = latencyRatio({ '1-2-3': [100, 120], '1-2-4': [200] }, (quorum) => bare[quorum] ?? Number.NaN, 10)
    expect(ratio).to.equal(1)
    expect(namesOf('1-3-5')).to.deep.equal([NODE_NAMES[0], NODE_NAMES[2], NODE_NAMES[4]])
  })

  it('bench: threads that sign at the same time add up', () => {
    expect(
      rateOf([
        { signatures: 10, wallMs: 2_000 },
        { signatures: 30, wallMs: 3_000 },
      ]),
    ).to.equal(15)
  })

  it('bench: every pair of places is 40 to 80 ms apart, the same both ways, and the coordinator stands beside a node', () => {
    for (const a of MEMBERS) {
      for (const b of MEMBERS) {
        const beside = a === b || [a, b].every((name) => name === 'coordinator' || name === COORDINATOR_SITE)
        const ms = roundTripMs(a, b)
        if (beside) expect(ms, `${a} ${b}`).to.equal(0)
        else expect(ms, `${a} ${b}`).to.be.within(40, 80)
        expect(FAR_LINKS.delayMs(a, b) + FAR_LINKS.delayMs(b, a)).to.equal(ms)
      }
    }
    expect(() => roundTripMs('zurich', 'elsewhere')).to.throw(RangeError)
  })

  it('bench: many keys are asked for in turns, each once before any comes again', () => {
    expect(new Set(Array.from({ length: 10_000 }, (_, i) => pathOf(i, 10_000))).size).to.equal(10_000)
    expect(new Set(Array.from({ length: 300 }, (_, i) => pathOf(i, 100))).size).to.equal(100)
    expect(new Set(Array.from({ length: 300 }, (_, i) => pathOf(i, 1))).size).to.equal(1)
  })

  it('bench: a signed transaction that is not of the address of the request stops the run', () => {
    const request = { requestId: 'r', from: SENDER, signedTransaction: SIGNED }
    expect(() => mustBeFrom(request)).not.to.throw()
    const others = [
      { ...request, from: `0x5${SENDER.slice(3)}` },
      { ...request, signedTransaction: null },
      { ...request, signedTransaction: SIGNED.replace('8252089', '8252109') },
    ]
    for (const other of others) expect(() => mustBeFrom(other)).to.throw('the signature of request r is not of')
  })

  it('bench: resident memory is read as the kernel writes it, and the highest of each is kept', () => {
    expect(residentKiB('VmHWM:\t  999 kB\nVmRSS:\t  123456 kB\nRssAnon: 1 kB\n')).to.equal(123456)
    expect(residentKiB('State: Z')).to.deep.equal(Number.NaN)
    expect(higher({ ownMiB: 3, childrenMiB: 9 }, { ownMiB: 5, childrenMiB: 4 })).to.deep.equal({ ownMiB: 5, childrenMiB: 9 })
  })

  const refused: readonly (readonly [string, readonly string[]])[] = [
    ['a part that there is not', ['--only', 'loopback,moon']],
    ['no requests', ['--requests', '0']],
    ['an option that there is not', ['--rounds', '3']],
  ]
  for (const [what, args] of refused)
    it(`bench: for a cluster, ${what} is refused in one line`, () => {
      expect(() => parseClusterOptions(args))
        .to.throw(ConfigError)
        .with.property('code', 'BENCH_BAD_OPTION')
    })

  it('bench: without options all parts of the cluster are measured, with a pool', () => {
    const { parts, pool, requests } = parseClusterOptions([])
    expect({ parts, pool, requests }).to.deep.equal({ parts: ['peers', 'loopback', 'keys', 'burst', 'far'], pool: true, requests: 200 })
    expect(parseClusterOptions(['--no-pool', '--only', 'far']))
      .to.include({ pool: false })
      .and.to.deep.include({ parts: ['far'] })
  })

  it('bench: bare rounds go between real processes, and everybody has waited for everybody', async function () {
    if (!existsSync('/proc/net/tcp')) this.skip()
    const dir = await mkdtemp(join(tmpdir(), 'conclave-rounds-'))
    try {
      const names = NODE_NAMES.slice(0, 3)
      const asked = new Set<string>()
      const near = { delayMs: (from: string, to: string) => asked.add([from, to].sort().join()).size * 0 }
      const bare = await measureBareRounds(dir, { names, sizes: [100, 2, 70_000], turns: 3, links: near })
      expect(bare.p50Ms).to.be.greaterThan(0)
      expect(asked.size).to.equal(3)
    } finally {
      await rm(dir, { recursive: true })
    }
  })

  it('bench: the warm-up is not in the turns', () => {
    const turns = Array.from({ length: 13 }, (_, i) => i)
    const cpu = { cpuMs: 1, systemMs: 0.5 }
    expect(figuresIn(`noise\n${JSON.stringify({ turns, ...cpu })}\n`)).to.deep.equal([{ turns: [10, 11, 12], ...cpu }])
    expect(figuresIn('noise')).to.deep.equal([])
  })
})
