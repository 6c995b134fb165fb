import { expect } from 'chai'
import { Harness } from './testing/harness.ts'

describe('coordinator', () => {
  it('signs a request', async () => {
    await using h = await Harness.start()
    const id = await h.request()
    const body = await h.ended(id)
    expect(body.state).equal('signed')
  })
})
