import { utf8 } from '@conclave/core'
import { ConclaveClient } from './client.ts'
import { ConclaveApiError } from './problem.ts'

const problem = { type: 'urn:x', title: 't', status: 409, code: 'KEY_EXISTS', detail: 'd', retriable: false, requestId: 'r' }
const operation = { operationId: 'o', state: 'succeeded', result: { keyId: 'k' }, error: null }

const ANSWERS_MAX = 3

/** An answer of whatever stands behind the URL: `{status, body}`; other JSON is the body itself. */
async function answer(input: Uint8Array): Promise<void> {
  const text = new TextDecoder().decode(input)
  let status = 500
  let body = text
  try {
    const given = JSON.parse(text) as { status?: unknown; body?: unknown }
    if (Number.isInteger(given.status) && (given.status as number) >= 200 && (given.status as number) < 600) status = given.status as number
    body = JSON.stringify(given.body) ?? text
  } catch {
    // Not JSON: it is the body as it is.
  }
  const real = globalThis.fetch
  const without = [204, 205, 304].includes(status)
  const headers = { 'retry-after': body.slice(0, 9).replace(/[^0-9a-z.-]/g, '') }
  let left = ANSWERS_MAX
  // Something that is not over is asked for again: not without end here.
  globalThis.fetch = async () =>
    left-- > 0 ? new Response(without ? null : body, { status, headers }) : new Response('over', { status: 500 })
  try {
    const client = new ConclaveClient({ url: 'http://127.0.0.1', apiKey: 'k', retriesMax: 0, retryFirstMs: 0 })
    await client.waitForKey('o')
    left = ANSWERS_MAX
    await client.waitForSignature('r')
  } catch (error) {
    if (!(error instanceof ConclaveApiError) || typeof error.code !== 'string' || typeof error.message !== 'string')
      throw new Error('not an API error', { cause: error })
  } finally {
    globalThis.fetch = real
  }
}

const seeds = [
  { status: 409, body: problem },
  { status: 200, body: operation },
  { status: 503, body: null },
].map((v) => utf8(JSON.stringify(v)))

export const TARGETS = [{ name: 'client.answer', kind: 'json', runs: 300, codes: /^$/, start: () => ({ seeds, run: answer }) }]
