import { expect } from 'chai'
import { Recent } from './recent.ts'

describe('recent', () => {
  it('makes a value once, and forgets the one that was not used for longest', () => {
    const made: string[] = []
    const recent = new Recent<string>(2)
    const of = (name: string) =>
      recent.of(name, () => {
        made.push(name)
        return name.toUpperCase()
      })
    expect(['a', 'b', 'a', 'c', 'a', 'b'].map(of)).deep.equal(['A', 'B', 'A', 'C', 'A', 'B'])
    expect(made).deep.equal(['a', 'b', 'c', 'b'])
    expect(recent.size).equal(2)
  })
})
