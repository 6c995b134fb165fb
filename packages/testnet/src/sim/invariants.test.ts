import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { childFlags } from './fleet.ts'

const SCRIPT = fileURLToPath(new URL('./invariants.fixture.ts', import.meta.url))

describe('invariants', () => {
  let seen: Record<string, string | null>
  before(() => {
    const { stdout, stderr } = spawnSync(process.execPath, [...childFlags({ real: false }), SCRIPT], { encoding: 'utf8' })
    expect(stderr).to.equal('')
    seen = JSON.parse(stdout) as typeof seen
  })

  it('invariants: what is in order is not complained of', () => {
    for (const fine of [
      'intact: key',
      'intact: epoch',
      'one share gone: key',
      'a burn kept',
      'a burn kept and said',
      'two sessions',
      'an entry used at both ends',
      'a full stock',
      'a deviant named',
      'prepared by some',
      'prepared by all, and passed over',
    ])
      expect(seen, fine).to.have.property(fine, null)
  })

  const broken: readonly (readonly [string, RegExp])[] = [
    ['two shares gone: key', /no 2 honest shares make the key base \(epoch 0: 2\)/],
    ['two shares of deviants: key', /no 2 honest shares/],
    ['a wrong share: key', /no 2 honest shares/],
    ['one share gone: epoch', /n1 has none, n2 has 0/],
    ['erased too early', /the key is not lost/],
    ['a burn lost', /n1 has lost the ban of n2/],
    ['a burn on who took over the seat', /n1 says that the pair with n2 is burned, and it has not banned it/],
    ['an honest party banned', /no honest party is blamed/],
    ['signing with a banned party', /burned pairs stay burned/],
    ['a session twice', /no correlation is used twice/],
    ['an entry used in two sessions', /no correlation is used twice/],
    ['an entry used in another session at the other end', /no correlation is used twice/],
    ['an entry that was never made', /pools live no longer than their pairs/],
    ['an entry of another pair state', /pools live no longer than their pairs/],
    ['an entry of another life', /pools live no longer than their pairs/],
    ['a refill with a banned party', /burned pairs stay burned/],
    ['a stock above its mark', /n1 has 4 correlations with party 2, and the pair is ready/],
    ['a stock of a burned pair', /n1 has 1 correlations with party 2, and the pair is burned/],
    ['two epochs in one session', /epochs never mix/],
    ['another public key', /the public key stays/],
    ['an honest party named', /no honest party is blamed/],
    ['told before it was burned', /burned pairs stay burned/],
    ['a signature that does not verify', /every signature verifies/],
    ['prepared by all', /all have prepared base epoch 1/],
    ['a node that is silent', /party 1,2,3 does not answer/],
  ]
  for (const [name, complaint] of broken) {
    it(`invariants: ${name} is noticed`, () => {
      expect(seen[name]).to.match(complaint)
    })
  }
})
