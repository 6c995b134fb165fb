import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { runCoordinatorChaos } from '../faults/coordinator-chaos.ts'
import { judge } from '../faults/node-testimony.ts'

describe('kill -9 of coordinators', () => {
  it('every acknowledged request comes to its end, and nothing is signed twice', async function () {
    this.timeout(300_000)
    const dir = await mkdtemp(join(tmpdir(), 'conclave-chaos-'))
    try {
      const plan = {
        dir,
        kills: 2,
        seed: 7,
        lines: 2,
        nodes: ['zurich', 'oslo', 'lisbon'],
        required: 2,
        isEmbedded: false,
        say: () => undefined,
      }
      const report = await runCoordinatorChaos(plan)
      expect(report, JSON.stringify(report)).to.include({ kills: 2, signedTwice: 0, final: report.acknowledged })
      expect(report.acknowledged).to.be.greaterThan(0)
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
  })

  it('what would be signed twice is counted', () => {
    const once = { requestId: 'a', digests: ['1'] }
    expect(judge([once])).to.include({ signedTwice: 0, signedAgain: 0 })
    expect(judge([once, once])).to.include({ signedTwice: 0, signedAgain: 1 })
    expect(judge([once, { requestId: 'b', digests: ['1'] }])).to.include({ signedTwice: 1 })
    expect(judge([once, { requestId: 'a', digests: ['2'] }])).to.include({ signedTwice: 1 })
  })
})
