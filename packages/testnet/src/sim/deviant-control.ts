import type { Attestation } from '@conclave/wire'
import type { Rewrite, Turned } from './deviant.ts'

/** Attestations that nobody signed; epochs that it has not reached, and signatures that it has not seen. */
export function gossip({ world, dice, did }: Turned): Rewrite {
  const forged = (): Attestation[] => world.lock.nodes.map(({ index }) => ({ party: index, signature: dice.bytes(64) }))
  return (to, body) => {
    if (!('gossip' in body)) return undefined
    did(`to ${to}`)
    const keys = body.gossip.keys.map((word) => ({
      ...word,
      active: true,
      epoch: word.epoch + dice.between(0, 2),
      proved: true,
      epochs: word.epochs.map((e) => ({
        epoch: e.epoch + dice.between(0, 1),
        certificateHash: dice.chance(0.5) ? dice.bytes(32) : e.certificateHash,
        attestations: dice.chance(0.5) ? forged() : e.attestations,
      })),
    }))
    return [{ to, body: { gossip: { ...body.gossip, keys } } }]
  }
}

/** Lies to the coordinator: another signature, another key, a verdict on another payload. */
export function answers({ dice, did }: Turned): Rewrite {
  return (to, body) => {
    if (!('response' in body) || !dice.chance(0.5)) return undefined
    const { id, body: answer } = body.response
    const reply = (changed: typeof answer) => {
      did(`${Object.keys(changed)[0]} to ${to}`)
      return [{ to, body: { response: { id, body: changed } } }]
    }
    if ('signed' in answer) {
      const wrong = dice.between(0, answer.signed.items.length - 1)
      const items = answer.signed.items.map((item, i) => (i === wrong ? { ...item, signature: dice.bytes(64) } : item))
      return reply({ signed: { ...answer.signed, items } })
    }
    if ('keyCreated' in answer) return reply({ keyCreated: { ...answer.keyCreated, chainCode: dice.bytes(32) } })
    if ('verdict' in answer) return reply({ verdict: { ...answer.verdict, digests: answer.verdict.digests.map(() => dice.bytes(32)) } })
    return undefined
  }
}
