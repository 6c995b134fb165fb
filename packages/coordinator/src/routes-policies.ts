import { fromHex } from '@conclave/core'
import { encode, Propose } from '@conclave/wire'
import type { Static } from 'typebox'
import {
  ApproverListBody,
  PolicyListBody,
  ShownPolicy,
  ShownStatement,
  ShownVerdict,
  SimulationBody,
  StatementListBody,
} from './cluster-schemas.ts'
import { type App, callerOf, refuseOtherMethods } from './http-app.ts'
import { newSigning } from './new-signing.ts'
import { safeCode } from './node-calls.ts'
import { lookAtAll, type Shown, topicOf } from './node-looks.ts'
import { about } from './openapi.ts'
import type { RouteContext } from './routes.ts'
import { SIGNING_BODY_PROBLEMS } from './routes-signing.ts'
import { NoQuery, SigningPath } from './schemas.ts'
import { proposalOf } from './signing-items.ts'
import { SimulateBody } from './signing-schemas.ts'
import { ownRequest } from './tenancy.ts'

const POLICY = topicOf('policy', ShownPolicy)
const STATEMENT = topicOf('statement', ShownStatement)
const SIMULATE = topicOf('simulate', ShownVerdict)
/** Of a simulation. */
const PAYLOAD_ROOM = 4

type Approver = Static<typeof ApproverListBody>['items'][number]

/** Each approver once, with the nodes that know it so. */
function approversIn(answers: readonly Shown<Static<typeof ShownPolicy>>[]): Approver[] {
  const byText = new Map<string, Approver>()
  for (const { node, shown } of answers) {
    for (const approver of shown?.approvers ?? []) {
      const text = JSON.stringify(approver)
      const known = byText.get(text) ?? { ...approver, nodes: [] }
      known.nodes.push(node)
      byText.set(text, known)
    }
  }
  return [...byText.values()]
}

function addStatementRoute(app: App, ctx: RouteContext): void {
  const url = '/v1/signing-requests/:requestId/statement'
  app.get(
    url,
    {
      config: { role: 'viewer', problems: ['REQUEST_NOT_FOUND', 'NODES_UNREACHABLE'] },
      schema: {
        ...about('signing', 'getStatement', 'What each node made of the request: what approvers sign'),
        ...{ params: SigningPath, querystring: NoQuery, response: { 200: StatementListBody } },
      },
    },
    async (request) => {
      const { requestId } = request.params
      const record = await ownRequest(ctx, request, requestId)
      const nodes = ctx.directory.get(record.keyId)?.parties ?? []
      const answers = await lookAtAll(ctx, STATEMENT, { nodes, argument: fromHex(requestId) })
      const items = answers.map(({ node, shown, code }) => {
        if (shown === null) return { node, statement: null, code }
        const {
          requestId: of,
          code: verdict,
          statement,
          statementHash,
          requester,
          notBefore,
          expiresAt,
          reason,
          approvedBy,
          rejectedBy,
        } = shown
        if (of !== requestId) return { node, statement: null, code: 'BAD_ANSWER' }
        const said = {
          statement,
          statementHash,
          requester,
          notBefore,
          expiresAt,
          reason,
          approvedBy,
          rejectedBy,
          verdict: safeCode(verdict),
        }
        return { node, statement: said, code: null }
      })
      return { items }
    },
  )
  refuseOtherMethods(app, url, ['GET'])
}

function addSimulateRoute(app: App, ctx: RouteContext): void {
  const url = '/v1/policies::simulate'
  app.post(
    url,
    {
      config: { role: 'viewer', cost: PAYLOAD_ROOM, problems: [...SIGNING_BODY_PROBLEMS, 'NODES_UNREACHABLE'] },
      schema: {
        ...about('policies', 'simulate', 'Ask the nodes what they would say now of a request, without approvals; nothing is kept'),
        ...{ querystring: NoQuery, body: SimulateBody, response: { 200: SimulationBody } },
      },
    },
    async (request) => {
      const record = await newSigning(ctx, request.body, callerOf(request))
      const argument = encode(Propose, proposalOf(record))
      const answers = await lookAtAll(ctx, SIMULATE, { nodes: ctx.directory.get(record.keyId)?.parties ?? [], argument })
      const items = answers.map(({ node, shown, code }) =>
        shown === null
          ? { node, allowed: false, code: code ?? 'NODE_FAILURE', reason: 'the node gave no verdict', rule: '' }
          : { node, allowed: shown.allowed, code: safeCode(shown.code), reason: shown.reason, rule: shown.rule },
      )
      return { items }
    },
  )
  refuseOtherMethods(app, url, ['POST'])
}

/** `/v1/policies`, `/v1/approvers`, and what nodes make of a request: all of it in the words of the nodes. */
export function addPolicyRoutes(app: App, ctx: RouteContext): void {
  const ask = () => lookAtAll(ctx, POLICY, { nodes: ctx.lock.nodes.map((n) => n.index) })
  app.get(
    '/v1/policies',
    {
      config: { role: 'viewer', problems: ['NODES_UNREACHABLE'] },
      schema: {
        ...about('policies', 'listPolicies', 'The policy in force at each node'),
        querystring: NoQuery,
        response: { 200: PolicyListBody },
      },
    },
    async () => ({ items: (await ask()).map(({ node, shown, code }) => ({ node, policy: shown, code })) }),
  )
  app.get(
    '/v1/approvers',
    {
      config: { role: 'viewer', problems: ['NODES_UNREACHABLE'] },
      schema: { ...about('policies', 'listApprovers', 'Who may approve'), querystring: NoQuery, response: { 200: ApproverListBody } },
    },
    async () => ({ items: approversIn(await ask()) }),
  )
  for (const url of ['/v1/policies', '/v1/approvers']) refuseOtherMethods(app, url, ['GET'])
  addSimulateRoute(app, ctx)
  addStatementRoute(app, ctx)
}
