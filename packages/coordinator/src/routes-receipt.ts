import { type App, refuseOtherMethods } from './http-app.ts'
import { about } from './openapi.ts'
import { carryReceipt } from './receipt-carrier.ts'
import type { RouteContext } from './routes.ts'
import { NoQuery, SigningPath } from './schemas.ts'
import { ReceiptBody } from './signing-schemas.ts'
import { ownRequest } from './tenancy.ts'

/** `/v1/signing-requests/{id}/receipt`: the bytes that `conclave receipt verify` takes. */
export function addReceiptRoute(app: App, ctx: RouteContext): void {
  const path = '/v1/signing-requests/:requestId/receipt'
  app.get(
    path,
    {
      config: {
        role: 'viewer',
        problems: ['REQUEST_NOT_FOUND', 'NO_RECEIPT', 'RECEIPT_NOT_READY', 'RECEIPT_REFUSED', 'NODES_UNREACHABLE'],
      },
      schema: {
        ...about('signing', 'getReceipt', 'Proof of what was signed and why, by the nodes that signed'),
        ...{ params: SigningPath, querystring: NoQuery, response: { 200: ReceiptBody } },
      },
    },
    async (request, reply) => {
      const record = await ownRequest(ctx, request, request.params.requestId)
      const bytes = await carryReceipt(ctx, record)
      // Written again it might be another text, and every byte counts.
      return reply.serializer((text: unknown) => text as string).send(new TextDecoder().decode(bytes) as never)
    },
  )
  refuseOtherMethods(app, path, ['GET'])
}
