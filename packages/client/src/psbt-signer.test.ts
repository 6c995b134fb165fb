import { codeOf } from '@conclave/core'
import { expect } from 'chai'
import { API_KEY, CannedApi } from './canned-api.fixture.ts'
import { ConclaveClient } from './client.ts'
import { type PsbtSignerOptions, toConclavePsbtSigner } from './psbt-signer.ts'

const PSBT = Buffer.from('70736274ff0102', 'hex')
const SIGNED = { requestId: 'r', state: 'signed', signedPsbt: '0x70736274ff0103', signedTransaction: '0x02aa', error: null }

describe('PSBT signer', () => {
  async function sign(psbt: string | Uint8Array, answer: object = SIGNED, options: Partial<PsbtSignerOptions> = {}) {
    await using api = await CannedApi.start({ status: 201, body: answer })
    const client = new ConclaveClient({ url: api.url, apiKey: API_KEY, retryFirstMs: 0 })
    const outcome = await toConclavePsbtSigner({ client, keyId: 'main', ...options })
      .signPsbt(psbt)
      .catch((error: unknown) => codeOf(error))
    return { outcome, asked: api.received.map((r) => JSON.parse(r.body)) }
  }

  it('asks for the same with bytes and with base64, and gives what wallet libraries read', async () => {
    for (const psbt of [PSBT, new Uint8Array(PSBT), PSBT.toString('base64')]) {
      const { outcome, asked } = await sign(psbt)
      expect(asked).deep.equal([{ keyId: 'main', payload: { type: 'btc.psbt', bytes: '0x70736274ff0102' } }])
      expect(outcome).deep.equal({ requestId: 'r', psbt: Buffer.from('70736274ff0103', 'hex').toString('base64'), transaction: '02aa' })
    }
    expect((await sign(PSBT, { ...SIGNED, signedTransaction: null })).outcome).include({ transaction: null })
  })

  it('what is no PSBT is refused before it is asked for', async () => {
    for (const psbt of ['', 'cHNidP8BAg', '70736274ff0102', 'AAAA', new Uint8Array(5)]) {
      expect(await sign(psbt)).deep.equal({ outcome: 'BAD_PSBT', asked: [] })
    }
  })

  it('an answer without the signed PSBT is BAD_ANSWER', async () => {
    for (const signedPsbt of [null, '0x', '70736274ff0103'])
      expect((await sign(PSBT, { ...SIGNED, signedPsbt })).outcome).equal('BAD_ANSWER')
  })

  it('a requester signs the request, and the deadline goes with it', async () => {
    const requester = { clusterId: '00'.repeat(32), name: 'exchange', sign: () => new Uint8Array(64) }
    const { asked } = await sign(PSBT, SIGNED, { requester, deadlineMs: 5000 })
    expect(asked[0]).include({ deadlineMs: 5000 })
    expect(asked[0].signed).include({ requester: 'exchange', signature: '00'.repeat(64) })
  })
})
