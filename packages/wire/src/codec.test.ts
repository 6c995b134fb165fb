import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import protobuf from 'protobufjs'
import * as backupMessages from './backup-messages.ts'
import { decode, encode, WireError } from './codec.ts'
import * as messages from './messages.ts'
import type { Field, MessageField } from './schema.ts'
import * as storeMessages from './store-messages.ts'

const root = join(import.meta.dirname, '../../..')
const all = Object.values({ ...messages, ...backupMessages, ...storeMessages }).filter(
  (m): m is typeof m & MessageField => typeof m === 'object' && 'kind' in m,
)

function arbitrary(field: Field): fc.Arbitrary<unknown> {
  switch (field.kind) {
    case 'bytes': {
      const full = fc.uint8Array({ minLength: field.min, maxLength: Math.min(field.max, Math.max(field.min, 40)) })
      return field.orEmpty ? fc.oneof(full, fc.constant(new Uint8Array(0))) : full
    }
    case 'text':
      return fc.string({ maxLength: Math.min(field.charsMax, 20) })
    case 'number':
      return fc.integer({ min: 0, max: field.max })
    case 'flag':
      return fc.boolean()
    case 'list':
      return fc.array(arbitrary(field.item), {
        minLength: field.countMin,
        maxLength: Math.min(field.countMax, Math.max(field.countMin, 3)),
      })
    case 'message':
      return fc.record(Object.fromEntries(Object.entries(field.fields).map(([k, f]) => [k, arbitrary(f)])))
    case 'oneof':
      return fc.oneof(...Object.entries(field.cases).map(([k, f]) => fc.record({ [k]: arbitrary(f) })))
  }
}

const hello = {
  clusterId: new Uint8Array(32).fill(1),
  lockHash: new Uint8Array(32).fill(2),
  protocol: 1,
  version: '0.1.0',
  nonce: new Uint8Array(0),
}
const refused = (bytes: Uint8Array) =>
  expect(() => decode(messages.Hello, bytes))
    .to.throw(WireError)
    .with.property('code', 'WIRE_DECODE')

describe('wire', () => {
  for (const type of all) {
    it(`wire: ${type.name} survives a round trip`, () => {
      fc.assert(
        fc.property(arbitrary(type), (value) => {
          expect(decode(type, encode(type, value as never))).to.deep.equal(value)
        }),
        { numRuns: 20 },
      )
    })

    it(`wire: ${type.name} decoding throws nothing but WireError`, () => {
      const mutated = fc
        .tuple(arbitrary(type), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }))
        .map(([v, edits]) => {
          const bytes = Uint8Array.from(encode(type, v as never))
          for (const [at, b] of edits) if (bytes.length > 0) bytes[at % bytes.length] = b
          return bytes
        })
      fc.assert(
        fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), (bytes) => {
          try {
            const value = decode(type, bytes)
            // What is accepted has one encoding only.
            expect(encode(type, value)).to.deep.equal(Uint8Array.from(bytes))
          } catch (error) {
            expect(error).to.be.instanceOf(WireError)
          }
        }),
        { numRuns: 60 },
      )
    })
  }

  it('wire: unknown fields, trailing bytes, repeats, wrong types and long varints are refused', () => {
    const good = encode(messages.Hello, hello)
    expect(decode(messages.Hello, good)).to.deep.equal(hello)
    const add = (...extra: number[]) => Uint8Array.from([...good, ...extra])
    refused(add(0x78, 0x01)) // field 15
    refused(add(0x00))
    refused(add(0x18, 0x01)) // `protocol` twice
    refused(good.subarray(0, good.length - 1))
    refused(add(0xff))
    const at = good.indexOf(0x18, 68)
    refused(Uint8Array.from([...good.subarray(0, at), 0x18, 0x81, 0x00, ...good.subarray(at + 2)])) // 1 as two bytes
    refused(Uint8Array.from([...good.subarray(0, at), 0x1d, 1, 0, 0, 0, ...good.subarray(at + 2)])) // fixed32
  })

  it('wire: a wrong length is refused both ways', () => {
    const short = { ...hello, clusterId: new Uint8Array(31) }
    expect(() => encode(messages.Hello, short))
      .to.throw(WireError)
      .with.property('code', 'WIRE_ENCODE')
    refused(Uint8Array.from([0x0a, 31, ...new Uint8Array(31)]))
    expect(() => encode(messages.Hello, { ...hello, protocol: 2 ** 32 })).to.throw(WireError)
    expect(() => encode(messages.Hello, { ...hello, protocol: 'x' as never })).to.throw(WireError)
  })

  it('wire: a refusal says where, at any depth, and the next one is not told by it', () => {
    const path = [0, 0]
    const item = { payload: new Uint8Array(4), path }
    const terms = {
      ...{ requester: 'r', nonce: new Uint8Array(32), notBefore: new Uint8Array(8), expiresAt: new Uint8Array(8), keyEpoch: 0 },
      signature: new Uint8Array(0),
    }
    const frame = (items: unknown) => ({
      body: {
        request: {
          id: 1,
          traceparent: '',
          body: { propose: { requestId: new Uint8Array(32), keyId: 'k', payloadType: 'evm.tx', items, terms } },
        },
      },
    })
    const why = (value: unknown) => {
      try {
        encode(messages.Frame, value as never)
      } catch (error) {
        return (error as Error).message
      }
      return undefined
    }
    const at = 'Frame.body.request.body.propose.items'
    expect(why(frame([item, { ...item, path: [0, -1] }]))).to.equal(`${at}[1].path[1] is out of range`)
    expect(why(frame([item, { ...item, payload: 'x' }]))).to.equal(`${at}[1].payload is not bytes`)
    expect(why(frame([]))).to.match(/^Frame\.body\.request\.body\.propose\.items has not 1 to /)
    for (const body of [{}, { end: {}, gossip: {} }]) expect(why({ body })).to.equal('Frame.body must have exactly one case')
    expect(why(frame([item]))).to.equal(undefined)
    expect(why(undefined)).to.equal('Frame is missing')
  })

  it('wire: decoded bytes are copies', () => {
    const bytes = Uint8Array.from(encode(messages.Hello, hello))
    const value = decode(messages.Hello, bytes)
    bytes.fill(0)
    expect(value.clusterId[0]).to.equal(1)
  })

  it('wire: encoded bytes are copies, whatever is encoded after them', () => {
    const first = encode(messages.Hello, hello)
    const before = Buffer.from(first)
    encode(messages.Hello, { ...hello, clusterId: new Uint8Array(32).fill(9) })
    expect(before.equals(first)).to.equal(true)
  })

  it('wire: where messages are laid out is wiped, be they short, long or refused', () => {
    const rooms = new Map<Uint8Array, number>()
    const { finish } = protobuf.BufferWriter.prototype
    protobuf.BufferWriter.prototype.finish = function (this: protobuf.Writer, shared?: boolean) {
      rooms.set(this.buf, Math.max(this.pos, rooms.get(this.buf) ?? 0))
      expect(this.buf.subarray(0, this.pos).some((b) => b !== 0)).to.equal(true)
      return protobuf.Writer.prototype.finish.call(this, shared)
    } as typeof finish
    try {
      const column = { salt: new Uint8Array(32).fill(1), columns: new Uint8Array(14336).fill(2), check: new Uint8Array(16).fill(3) }
      const ot = { ...column, checkHash: new Uint8Array(32).fill(4) }
      const long = { context: ot.salt, ots: Array.from({ length: 32 }, () => ot) }
      for (const bytes of [encode(messages.OtExtension, ot), encode(messages.CorrelateOt, long)]) {
        expect(() => decode(messages.SignOpen, bytes)).to.throw(WireError)
      }
      decode(messages.CorrelateOt, encode(messages.CorrelateOt, long))
      expect(rooms.size).to.be.greaterThan(1)
      for (const [room, used] of rooms) expect(room.subarray(0, used).every((b) => b === 0)).to.equal(true)
    } finally {
      Reflect.deleteProperty(protobuf.BufferWriter.prototype, 'finish')
      if (finish !== protobuf.Writer.prototype.finish) protobuf.BufferWriter.prototype.finish = finish
    }
  })

  it('wire: the generated codecs are those of proto/', () => {
    const run = spawnSync(process.execPath, [join(root, 'scripts/proto.ts'), '--check'], { encoding: 'utf8' })
    expect(run.stderr).to.equal('')
    expect(run.status).to.equal(0)
  })

  it('wire: every message of proto/ has limits, field by field', () => {
    const parsed = new protobuf.Root()
    for (const f of readdirSync(join(root, 'proto')).sort()) {
      protobuf.parse(readFileSync(join(root, 'proto', f), 'utf8'), parsed, { keepCase: false })
    }
    const space = parsed.lookup('conclave') as protobuf.Namespace
    const declared = space.nestedArray.filter((n): n is protobuf.Type => n instanceof protobuf.Type)
    expect(declared.map((t) => t.name).sort()).to.deep.equal(all.map((m) => m.name).sort())
    for (const type of declared) {
      const mine = all.find((m) => m.name === type.name) as MessageField
      const names = Object.entries(mine.fields).flatMap(([k, f]) => (f.kind === 'oneof' ? Object.keys(f.cases) : [k]))
      expect(names.sort(), type.name).to.deep.equal(type.fieldsArray.map((f) => f.name).sort())
    }
  })
})
