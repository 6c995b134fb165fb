import { fromHex } from '@conclave/core'
import type { AdminRoute } from '../admin-server.ts'
import type { ReceiptDesk } from './receipt-desk.ts'

/** What an operator asks of requests that were signed. The receipt is text within the answer: its bytes are what counts. */
export function receiptRoutes(desk: ReceiptDesk): readonly AdminRoute[] {
  return [
    {
      method: 'GET',
      path: /^\/v1\/requests\/([0-9a-f]{64})\/receipt$/,
      handle: async ([id = '']) => ({ receipt: new TextDecoder().decode(await desk.collect(fromHex(id))) }),
    },
  ]
}
