import { FRAME_BYTES_MAX } from '@conclave/transport'
import { encode, Frame, ROUND_BODY_BYTES_MAX } from '@conclave/wire'
import { expect } from 'chai'
import { EARLY_BYTES_MAX } from './sessions/early-box.ts'

describe('frame limits', () => {
  it('frame limits: the longest message of a session fits into a frame, and into what is kept of a session that has not begun', () => {
    const session = { sessionId: new Uint8Array(32), from: 9, round: 16, body: new Uint8Array(ROUND_BODY_BYTES_MAX) }
    expect(encode(Frame, { body: { session } }).length).to.be.below(FRAME_BYTES_MAX)
    // The first round of a session, or the second when that of another peer is slow.
    expect(2 * ROUND_BODY_BYTES_MAX).to.be.below(EARLY_BYTES_MAX)
    expect(() => encode(Frame, { body: { session: { ...session, body: new Uint8Array(ROUND_BODY_BYTES_MAX + 1) } } })).to.throw()
  })
})
