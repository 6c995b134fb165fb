import { tagged, toHex, utf8 } from '@conclave/core'
import { decode, type Look, Propose, type Response } from '@conclave/wire'

const POLICY = {
  ...{ sequence: 3, hash: toHex(tagged('fake-policy')) },
  rules: [{ name: 'any', effect: 'allow' }],
  requesters: null,
  approvers: [{ id: 'alice', groups: ['treasury'], keys: ['identity', 'webauthn'] }],
}
const FREEZE = {
  ...{ id: toHex(tagged('fake-freeze')), scope: 'key:main', reason: 'drill', by: 'node:oslo', at: '2026-01-01T00:00:00.000Z' },
  ...{ isActive: true, thawedBy: ['zurich'], thawsRequired: 3 },
}
const STATEMENT = {
  ...{
    keyId: 'main',
    payloadType: 'evm.tx',
    requester: 'admin',
    notBefore: '2026-01-01T00:00:00.000Z',
    expiresAt: '2026-01-01T00:02:00.000Z',
  },
  ...{ code: 'ALLOWED', reason: 'fake', approvedBy: [], rejectedBy: [], statement: 'abcd', statementHash: toHex(tagged('fake-statement')) },
}
const CHECKPOINT = 'conclave.example/log/fake\n1\nAAAA\n'

/** What a fake node shows of itself, by topic; a test may put something else there: JSON, or bytes. */
export type Shows = Map<string, unknown>

function honest({ topic, argument }: Look): unknown {
  if (topic === 'policy') return POLICY
  if (topic === 'freezes') return { freezes: [FREEZE] }
  if (topic === 'statement') return { ...STATEMENT, requestId: toHex(argument) }
  if (topic === 'simulate') return { allowed: true, code: 'ALLOWED', reason: `key ${decode(Propose, argument).keyId}`, rule: 'any' }
  const name = new TextDecoder().decode(argument)
  if (topic === 'log-file' && name === 'checkpoint') return utf8(CHECKPOINT)
  if (topic === 'log-file' && name === 'tile/0/000.p/1') return tagged('fake-leaf')
  return undefined
}

export function fakeLook(look: Look, shows: Shows): Response['body'] {
  const shown = shows.get(look.topic) ?? honest(look)
  const failure = { code: 'NO_SUCH_FILE', message: 'fake', retriable: false, culprits: [], waitingFor: [] }
  if (shown === undefined) return { failure }
  return { looked: { body: shown instanceof Uint8Array ? shown : utf8(JSON.stringify(shown)) } }
}
