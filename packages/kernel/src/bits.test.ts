import { expect } from 'chai'
import { same } from './check/compare.ts'
import { Draw } from './check/draw.ts'
import { kernel } from './index.ts'

const draw = new Draw(20260102)
const ones = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(255)

describe('bits', () => {
  it('expandSeeds: every length of the prefix up to three blocks', () => {
    for (let length = 0; length <= 192; length++)
      same('expandSeeds', draw.bytes(length), draw.bytes(32 * (1 + (length % 9))), draw.bytes(32), 48)
  })

  it('expandSeeds: every length of the name and of the output around a block', () => {
    for (let length = 0; length <= 130; length++) same('expandSeeds', draw.bytes(15), draw.bytes(96), draw.bytes(length), length)
  })

  it('expandSeeds: the sizes of the extension, and counts that do not fill the lanes', () => {
    for (const count of [0, 1, 3, 4, 5, 8, 9, 127, 128, 129])
      same('expandSeeds', draw.bytes(15), draw.bytes(32 * count), draw.bytes(32), 112)
  })

  it('foldBlocks: each bit of a multiplier meets each bit of a block', () => {
    const powers = Array.from({ length: 128 }, (_, bit) => {
      const element = new Uint8Array(16)
      element[bit >> 3] = 1 << (bit & 7)
      return element
    })
    const columns = Buffer.concat(powers.map((power) => Buffer.concat([power, new Uint8Array(16)])))
    for (const chi of powers) same('foldBlocks', chi, columns)
  })

  it('foldBlocks: no multiplier, the sizes of the extension, all bits set', () => {
    same('foldBlocks', new Uint8Array(0), draw.bytes(80))
    for (const count of [0, 1, 3, 4, 5, 127, 128, 129]) same('foldBlocks', draw.bytes(96), draw.bytes(112 * count))
    same('foldBlocks', ones(96), ones(112 * 4))
  })

  it('transpose: every count of columns, every length of one up to 33 bytes', () => {
    for (let count = 1; count <= 128; count++) same('transpose', draw.bytes(count * (count % 5)), count)
    for (let bytes = 0; bytes <= 33; bytes++) same('transpose', draw.bytes(24 * bytes), 24)
    same('transpose', draw.bytes(128 * 112), 128)
  })

  it('bits: lengths that do not fit together are refused', () => {
    for (const call of [
      () => kernel.expandSeeds(ones(1), ones(33), ones(1), 1),
      () => kernel.expandSeeds(ones(1), ones(32), ones(1), -1),
      () => kernel.foldBlocks(ones(15), ones(31)),
      () => kernel.foldBlocks(ones(16), ones(16)),
      () => kernel.transpose(ones(129), 129),
      () => kernel.transpose(ones(3), 2),
      () => kernel.transpose(ones(3), 0),
    ])
      expect(call, String(call)).to.throw(RangeError)
  })
})
