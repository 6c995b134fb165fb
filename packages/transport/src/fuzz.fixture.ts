import { concat, tagged } from '@conclave/core'
import { decode, encode, Hello, Proof } from '@conclave/wire'
import { FrameReader, prefixed } from './framing.ts'
import { HELLO_BYTES_MAX, helloMismatch, LINK_PROTOCOL } from './hello.ts'
import { FRAME_BYTES_MAX } from './transport.ts'

const HELLO: Hello = {
  clusterId: tagged('cluster'),
  lockHash: tagged('lock'),
  protocol: LINK_PROTOCOL,
  version: '0.1.0',
  nonce: tagged('nonce'),
}
const PROOF = encode(Proof, { signature: new Uint8Array(71).fill(5), consent: true })
const FRAMES = concat(prefixed(new Uint8Array(300).fill(7)), prefixed(Uint8Array.of(1)))
const STREAM = concat(prefixed(encode(Hello, HELLO)), prefixed(PROOF), FRAMES)
/** Prime, so that pieces end everywhere. */
const PIECE_BYTES = 13

/** A stream as a link reads it: HELLO and proof first and small, then frames; the bytes come in pieces. */
function readLink(input: Uint8Array): void {
  const reader = new FrameReader(HELLO_BYTES_MAX)
  let expected: 'hello' | 'proof' | 'frames' = 'hello'
  let bytes = 0
  for (let at = 0; at < input.length; at += PIECE_BYTES) {
    for (const frame of reader.read(input.subarray(at, at + PIECE_BYTES))) {
      bytes += frame.length
      if (bytes > input.length) throw new Error('more came out than went in')
      if (expected === 'frames') continue
      if (expected === 'hello') helloMismatch(HELLO, decode(Hello, frame))
      else decode(Proof, frame)
      expected = expected === 'hello' ? 'proof' : 'frames'
      if (expected === 'frames') reader.frameBytesMax = FRAME_BYTES_MAX
    }
  }
}

export const TARGETS = [
  {
    ...{ name: 'transport.link', kind: 'bytes', runs: 500, codes: /^(FRAME_EMPTY|FRAME_TOO_LARGE|WIRE_DECODE)$/, bounded: true },
    start: () => ({ seeds: [STREAM, prefixed(encode(Hello, HELLO))], run: readLink }),
  },
]
