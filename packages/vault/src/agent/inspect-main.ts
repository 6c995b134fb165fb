import { type InspectRequest, inspectToken } from './inspect-token.ts'

// Entry of the process that inspects one HSM: it answers one question and ends. The PIN stays in it.

process.once('message', (request: InspectRequest) => {
  process.send?.(inspectToken(request), () => process.exit(0))
})

// The parent has gone, in whatever way.
process.on('disconnect', () => process.exit(0))
