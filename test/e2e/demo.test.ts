import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { fromHex } from '@conclave/core'
import type { DemoResult } from '@conclave/testnet'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'chai'

const MAIN = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url))

describe('demo', () => {
  it('demo: five processes make a key, any three sign, policy and quorum hold, and the JSON says what happened', function () {
    this.timeout(300_000)
    const run = spawnSync(process.execPath, [MAIN, 'demo', '--json'], { encoding: 'utf8', timeout: 280_000 })
    const last = run.stdout.trimEnd().split('\n').at(-1) ?? ''
    expect(run.status, `${run.stderr}\n${run.stdout}`).to.equal(0)
    const result = JSON.parse(last) as DemoResult
    expect(result.ok).to.equal(true)
    expect(result.publicKey).to.match(/^0[23][0-9a-f]{64}$/)
    expect(result.address).to.match(/^0x[0-9a-fA-F]{40}$/)
    expect(result.signatures).to.have.length(6)
    for (const { digest, signature, signers } of result.signatures) {
      expect(
        secp256k1.verify(fromHex(signature, 64), fromHex(digest, 32), fromHex(result.publicKey), { prehash: false, lowS: true }),
      ).to.equal(true)
      expect(signers).to.have.length(3)
    }
    // Nodes 1 and 2 were dead for the second, 2 and 3 for the third, 3 and 4 for the fourth.
    expect(result.signatures.slice(1, 4).map((s) => s.signers)).to.deep.equal([
      [3, 4, 5],
      [1, 4, 5],
      [1, 2, 5],
    ])
    // Node 4 was destroyed after the fifth, and signs again with what the reshare gave it.
    expect(result.signatures[5]?.signers).to.deep.equal([3, 4, 5])
    expect(result.renewals).to.deep.equal([
      { kind: 'refresh', epoch: 1 },
      { kind: 'reshare', epoch: 2 },
    ])
    expect(result.denied.map((d) => d.code)).to.deep.equal(['DESTINATION_NOT_ALLOWED', 'AMOUNT_OVER_LIMIT'])
  })
})
