import { expect } from 'chai'
import { toHex } from './bytes.ts'
import { formatFreezeScope, freezeHash, isFrozen, parseFreezeScope, thawHash } from './freeze.ts'
import { tagged } from './hash.ts'

describe('freeze', () => {
  it('freeze: a scope has one text, and everything else is refused', () => {
    for (const text of ['cluster', 'key:treasury-1', 'child:treasury-1/m/0/5', 'child:k/m/7'])
      expect(formatFreezeScope(parseFreezeScope(text))).to.equal(text)
    for (const text of [
      '',
      'Cluster',
      'cluster ',
      'key:',
      'key:A',
      'child:k',
      'child:k/m',
      'child:k/m/',
      'child:k/m/00',
      "child:k/m/0'",
      'child:/m/0',
      'node:a',
    ])
      expect(() => parseFreezeScope(text), text).to.throw(/a scope is/)
  })

  it('freeze: a child is frozen with all below it, a key with every child, a cluster with every key', () => {
    const stops = (scope: string, keyId: string, ...paths: (readonly number[])[]) => isFrozen(parseFreezeScope(scope), keyId, paths)
    expect(stops('cluster', 'k', [])).to.equal(true)
    expect([stops('key:k', 'k', []), stops('key:k', 'k', [0, 5]), stops('key:k', 'l', [])]).to.deep.equal([true, true, false])
    const child = (...paths: (readonly number[])[]) => stops('child:k/m/0/5', 'k', ...paths)
    expect([child([0, 5]), child([0, 5, 1]), child([0, 4], [0, 5])]).to.deep.equal([true, true, true])
    expect([child([]), child([0]), child([0, 50]), child([5, 0]), stops('child:k/m/0/5', 'l', [0, 5])]).to.deep.equal(Array(5).fill(false))
  })

  it('freeze: each field is in what is signed', () => {
    const clusterId = tagged('c')
    const word = { scope: 'cluster', reason: 'r', by: 'node:a', atMs: 5 }
    const freezes = [word, { ...word, scope: 'key:k' }, { ...word, reason: 's' }, { ...word, by: 'node:b' }, { ...word, atMs: 6 }]
    const thaw = { freeze: tagged('f'), node: 'a', reason: 'r', atMs: 5 }
    const thaws = [thaw, { ...thaw, freeze: tagged('g') }, { ...thaw, node: 'b' }, { ...thaw, reason: 's' }, { ...thaw, atMs: 6 }]
    const of = (c: Uint8Array) => [...freezes.map((f) => freezeHash(c, f)), ...thaws.map((t) => thawHash(c, t))].map(toHex)
    expect(new Set([...of(clusterId), ...of(tagged('d'))]).size).to.equal(20)
  })
})
