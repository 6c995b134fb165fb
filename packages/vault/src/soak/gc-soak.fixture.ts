import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto'
import pkcs11 from 'pkcs11js'
import { Agent } from '../agent/agent.ts'
import type { AgentSettings, Operation, Reply, RequestBody } from '../agent/protocol.ts'
import { parseEcPoint } from '../identity-signer.ts'

// The agent in this process, with the garbage collected before every call of the module and the freed memory written over: what the binding or a module still points to without holding it comes out wrong. Run with --expose-gc.
// Arguments: agent settings as JSON, number of operations. Prints {operations, corrupted, collections}.

const [settingsJson, count] = process.argv.slice(2) as [string, string]
const settings = JSON.parse(settingsJson) as AgentSettings
const collect = (globalThis as { gc?: () => void }).gc
if (collect === undefined) throw new Error('run with --expose-gc')

const LITTER_BYTES = [12, 16, 32, 48, 64, 113, 1024]
let collections = 0
let litter: Buffer[] = []

function collectGarbage(): void {
  // The whole collection: the quick kind frees the memory of buffers later.
  collect!()
  collections++
  // Of the sizes that our own buffers have, so that it comes to lie where they lay.
  litter = LITTER_BYTES.flatMap((bytes) => Array.from({ length: 4 }, () => Buffer.alloc(bytes, 0xa5)))
  if (litter.length === 0) throw new Error('never')
}

// The native calls: the class that is exported wraps them when it is made.
const prototype = Object.getPrototypeOf(pkcs11.PKCS11.prototype) as unknown as Record<string, (...args: unknown[]) => unknown>
for (const name of Object.getOwnPropertyNames(prototype).filter((n) => /^C_(En|De)crypt|^C_Sign|^C_(Unw|W)rap|^C_CreateObject/.test(n))) {
  const call = prototype[name]!
  prototype[name] = function (...args) {
    collectGarbage()
    return call.apply(this, args)
  }
}

const agent = new Agent()
let id = 0

function ask<Op extends Operation>(op: Op, body: RequestBody<Op>): Reply<Op> {
  return agent.answer({ id: ++id, op, body } as never) as Reply<Op>
}

function isOurs(message: Uint8Array, signature: Uint8Array): boolean {
  const x = Buffer.from(publicKey).toString('base64url')
  return verify(null, message, createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }), signature)
}

/** A wrap, its unwrap and a signature, of contents that no other round has. @returns how many came out wrong. */
function round(): number {
  const [aad, dek] = [new Uint8Array(randomBytes(109)), new Uint8Array(randomBytes(32))]
  const expected = createHash('sha256').update(dek).digest()
  const key = ask('wrap', { aad: aad.slice(), dek })
  const back = ask('unwrap', { aad, key })
  const message = new Uint8Array(randomBytes(200))
  const wrong = [
    !createHash('sha256').update(back).digest().equals(expected),
    !isOurs(message, ask('sign', { use: 'identity', message: message.slice() })),
  ]
  return wrong.filter(Boolean).length
}

ask('start', settings)
const { identity } = ask('describe', null)
const { publicKey } = parseEcPoint(identity!.type, identity!.point)
let [operations, corrupted] = [0, 0]
for (; operations < Number(count); operations += 3) corrupted += round()
ask('close', null)
process.stdout.write(JSON.stringify({ operations, corrupted, collections }))
