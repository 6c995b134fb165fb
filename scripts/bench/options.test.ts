import { ConfigError } from '@conclave/core'
import { expect } from 'chai'
import { parseOptions } from './options.ts'

describe('bench: options', () => {
  it('bench: without options it measures everything for people to read', () => {
    expect(parseOptions([])).to.deep.equal({ json: false, peers: undefined, only: undefined, rounds: 15, write: undefined })
  })

  it('bench: figures and rounds are taken as they are written', () => {
    const options = parseOptions(['--json', '--peers', 'there', '--only', 'dkg,signFull', '--rounds', '3', '--write', 'docs'])
    expect(options).to.deep.equal({ json: true, peers: 'there', only: ['dkg', 'signFull'], rounds: 3, write: 'docs' })
  })

  const refused: readonly (readonly [string, readonly string[]])[] = [
    ['an option that there is not', ['--peer', 'x']],
    ['an argument without an option', ['peers']],
    ['no rounds', ['--rounds', '0']],
    ['half a round', ['--rounds', '1.5']],
    ['more rounds than anybody waits for', ['--rounds', '100000']],
    ['a figure that there is not', ['--only', 'dkg,toString']],
    ['no figure', ['--only', '']],
    ['a folder that is not given', ['--peers']],
  ]
  for (const [what, args] of refused)
    it(`bench: ${what} is refused in one line`, () => {
      let thrown: unknown
      try {
        parseOptions(args)
      } catch (error) {
        thrown = error
      }
      expect(thrown).to.be.instanceOf(ConfigError)
      expect((thrown as ConfigError).code).to.equal('BENCH_BAD_OPTION')
    })
})
