import { concat, seededRandom, u32, utf8 } from '@conclave/core'
import { expect } from 'chai'
import { Backlog } from './backlog.ts'
import { YamuxHeaders } from './bounded-yamux.ts'
import { FrameReader, prefixed } from './framing.ts'
import { FRAME_BYTES_MAX } from './transport.ts'
import { backoffMs, defaultTuning } from './tuning.ts'

describe('framing', () => {
  it('reader: gives back the frames however the bytes are cut', () => {
    const random = seededRandom(utf8('cuts'))
    const frames = Array.from({ length: 40 }, (_, i) => random.bytes(1 + i * 37))
    const bytes = concat(...frames.map(prefixed))
    for (const cut of [1, 2, 3, 4, 5, 64, 1000, bytes.length]) {
      const reader = new FrameReader(FRAME_BYTES_MAX)
      const read: Uint8Array[] = []
      for (let at = 0; at < bytes.length; at += cut) read.push(...reader.read(bytes.subarray(at, at + cut)))
      expect(read).to.deep.equal(frames)
    }
  })

  it('reader: frames are copies', () => {
    const bytes = prefixed(utf8('secret'))
    const [frame] = [...new FrameReader(FRAME_BYTES_MAX).read(bytes)]
    bytes.fill(0)
    expect(frame).to.deep.equal(utf8('secret'))
  })

  it('reader: refuses a length before the frame has come, and a limit may be lifted between two frames', () => {
    const codeOfRead = (reader: FrameReader, bytes: Uint8Array) => {
      try {
        return [...reader.read(bytes)].length
      } catch (error) {
        return (error as { code: string }).code
      }
    }
    expect(codeOfRead(new FrameReader(FRAME_BYTES_MAX), u32(FRAME_BYTES_MAX + 1))).to.equal('FRAME_TOO_LARGE')
    expect(codeOfRead(new FrameReader(FRAME_BYTES_MAX), u32(0))).to.equal('FRAME_EMPTY')
    expect(codeOfRead(new FrameReader(10), u32(11))).to.equal('FRAME_TOO_LARGE')
    const reader = new FrameReader(10)
    const sizes: number[] = []
    for (const frame of reader.read(concat(prefixed(new Uint8Array(10)), prefixed(new Uint8Array(11))))) {
      sizes.push(frame.length)
      reader.frameBytesMax = 11
    }
    expect(sizes).to.deep.equal([10, 11])
  })

  it('yamux headers: follow the frames however they are cut, and find the one that is too long', () => {
    const header = (type: number, length: number) => concat(Uint8Array.of(0, type, 0, 0), u32(1), u32(length))
    // Lengths of window updates and pings are not lengths of anything.
    const good = concat(
      header(0, 5),
      new Uint8Array(5).fill(0xff),
      header(1, 0xffffffff),
      header(2, 99),
      header(0, 0),
      header(0, 100),
      new Uint8Array(100),
    )
    for (const cut of [1, 5, 11, 12, 13, 1000]) {
      const headers = new YamuxHeaders(100)
      const feed = (bytes: Uint8Array) => {
        for (let at = 0; at < bytes.length; at += cut) if (!headers.accept(bytes.subarray(at, at + cut))) return false
        return true
      }
      expect(feed(good)).to.equal(true)
      expect(feed(header(0, 101))).to.equal(false)
    }
  })

  it('backlog: first in first out with its bytes counted', () => {
    const backlog = new Backlog()
    const model: Uint8Array[] = []
    const random = seededRandom(utf8('backlog'))
    for (let i = 0; i < 2_000; i++) {
      const frame = new Uint8Array(1 + (i % 13)).fill(i)
      if ((random.bytes(1)[0] as number) < (i < 1_000 ? 160 : 90)) {
        backlog.push(frame)
        model.push(frame)
      } else expect(backlog.shift()).to.equal(model.shift())
      expect(backlog.bytes).to.equal(model.reduce((n, f) => n + f.length, 0))
    }
    backlog.clear()
    expect([backlog.bytes, backlog.shift()]).to.deep.equal([0, undefined])
  })

  it('backoff: doubles to its cap, never less than half of the step', () => {
    const steps = [1, 2, 3, 4, 5, 6, 7, 50].map((n) => backoffMs(n, 0, defaultTuning))
    expect(steps).to.deep.equal([100, 200, 400, 800, 1600, 3200, 5000, 5000])
    expect(backoffMs(3, 0.999999, defaultTuning)).to.be.within(200, 201)
    expect(backoffMs(2_000, 0.5, defaultTuning)).to.equal(3750)
  })
})
