import { Agent } from './agent.ts'
import type { AgentReply, AgentRequest, BatchedReply } from './protocol.ts'
import { faultOf } from './token.ts'

// Entry of the agent process: the only one that loads a PKCS#11 module and the only one that ever holds the PIN.

const agent = new Agent()

async function reply(request: AgentRequest): Promise<AgentReply> {
  try {
    return { id: request.id, result: await agent.answer(request) }
  } catch (error) {
    const { code, message, details } = faultOf(error)
    return { id: request.id, fault: { code, message, details } }
  }
}

process.on('message', async (request: AgentRequest) => {
  const answer = await reply(request)
  // Serialised before send returns.
  process.send?.(answer)
  if (!('result' in answer)) return
  const { result } = answer
  for (const one of Array.isArray(result) ? (result as readonly BatchedReply[]) : [{ result }]) {
    if ('result' in one && one.result instanceof Uint8Array) one.result.fill(0)
  }
})

// The parent has gone, in whatever way.
process.on('disconnect', () => {
  agent.close()
  process.exit(0)
})

// A terminal's Ctrl-C and a service manager's stop reach the whole group; the parent drains and then disconnects us.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
