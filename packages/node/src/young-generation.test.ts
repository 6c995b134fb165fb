import { spawnSync } from 'node:child_process'
import { expect } from 'chai'

/** Keeps a fraction of much garbage alive, and prints the young generation's size in MB. */
const CHURN = `
  const { getHeapSpaceStatistics } = process.getBuiltinModule('node:v8')
  let kept = []
  for (let i = 0; i < 3e6; i++) {
    kept.push({ a: i, b: [i] })
    if (kept.length > 2e5) kept = []
  }
  console.log(getHeapSpaceStatistics().find((s) => s.space_name === 'new_space').space_size / 2 ** 20)
`

function sizes(bounded: boolean): readonly number[] {
  const module = new URL('./young-generation.ts', import.meta.url).href
  const code = `
    import { Worker } from 'node:worker_threads'
    import { boundYoungGeneration } from '${module}'
    ${bounded ? 'boundYoungGeneration()' : ''}
    ${CHURN}
    new Worker(${JSON.stringify(CHURN)}, { eval: true })
  `
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' })
  expect(stderr).to.equal('')
  return stdout.trim().split('\n').map(Number)
}

describe('young generation', () => {
  it('young generation: stays small in threads that start later', () => {
    expect(sizes(true).at(1)).to.equal(8)
    for (const free of sizes(false)) expect(free).to.be.greaterThan(32)
  })
})
