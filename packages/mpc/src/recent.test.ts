import { expect } from 'chai'
import { Recent } from './recent.ts'

describe('recent', () => {
  it('makes a value once, and again after others have taken its place', () => {
    const made: string[] = []
    const recent = new Recent<string>(2)
    const get = (key: string) => recent.get(key, () => `${key}${made.push(key)}`)
    expect([get('a'), get('b'), get('a')]).to.deep.equal(['a1', 'b2', 'a1'])
    // b was asked for longest ago.
    expect([get('c'), get('a'), get('b')]).to.deep.equal(['c3', 'a1', 'b4'])
    expect(made).to.deep.equal(['a', 'b', 'c', 'b'])
  })

  it('keeps nothing of a value that could not be made', () => {
    const recent = new Recent<number>(2)
    const fails = () => {
      throw new RangeError('no')
    }
    expect(() => recent.get('a', fails)).to.throw(RangeError)
    expect(recent.get('a', () => 1)).to.equal(1)
  })
})
