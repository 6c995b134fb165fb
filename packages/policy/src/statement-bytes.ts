import { concat, tagged, u32, utf8 } from '@conclave/core'
import {
  badStatement,
  checkStatement,
  STATEMENT_DIGESTS_MAX,
  type Statement,
  type StatementDigest,
  type StatementItem,
} from './statement.ts'

export const STATEMENT_FORMAT = 'conclave-statement/1'
export const STATEMENT_BYTES_MAX = 8192

const FORMAT_BYTES_MAX = 32
const NAME_BYTES_MAX = 63
const PATH_BYTES_MAX = 32
const TWO_TO_32 = 0x100000000

// Canonical by its grammar: a field is a 32-bit length and so many bytes, a list is a field that holds its entries, nothing is optional.
function field(bytes: Uint8Array): Uint8Array {
  return concat(u32(bytes.length), bytes)
}

const fieldOfText = (text: string) => field(utf8(text))
const fieldOfNumber = (value: number) => field(u32(value))
const fieldOfTime = (ms: number) => field(concat(u32(Math.floor(ms / TWO_TO_32)), u32(ms % TWO_TO_32)))
const fieldOfList = <T>(entries: readonly T[], encode: (entry: T) => Uint8Array) => field(concat(...entries.map((e) => field(encode(e)))))

const encodeDigest = ({ path, digest }: StatementDigest) => concat(field(concat(...path.map(u32))), field(digest))

const encodeItem = (item: StatementItem) =>
  concat(field(item.payloadHash), field(item.summaryHash), fieldOfList(item.digests, encodeDigest))

/**
 * The bytes of a statement (docs/spec/statement.md): one string of bytes for each statement, and one statement for each string.
 *
 * @throws {InvalidArgument} BAD_STATEMENT.
 */
export function encodeStatement(statement: Statement): Uint8Array {
  checkStatement(statement)
  return concat(
    fieldOfText(STATEMENT_FORMAT),
    field(statement.clusterId),
    field(statement.requestId),
    fieldOfText(statement.keyId),
    fieldOfNumber(statement.keyEpoch),
    fieldOfText(statement.payloadType),
    fieldOfList(statement.items, encodeItem),
    fieldOfNumber(statement.policySequence),
    field(statement.policyHash),
    fieldOfTime(statement.notBeforeMs),
    fieldOfTime(statement.expiresAtMs),
    fieldOfText(statement.requester),
    field(statement.nonce),
  )
}

/** The hash that approvers sign and that a session binds: 32 bytes. @throws {InvalidArgument} BAD_STATEMENT. */
export function statementHash(statement: Statement): Uint8Array {
  return tagged('statement', encodeStatement(statement))
}

/** Reads fields from the first byte to the last; what it returns are copies. */
class FieldReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  /** @param max - the most bytes that the field may have. */
  field(max: number): Uint8Array {
    const left = this.#bytes.length - this.#at
    if (left < 4) throw badStatement('it ends too early')
    const length = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + this.#at).getUint32(0)
    if (length > max || length > left - 4) throw badStatement('a field is longer than it may be')
    this.#at += 4 + length
    return this.#bytes.slice(this.#at - length, this.#at)
  }

  fixed(length: number): Uint8Array {
    const bytes = this.field(length)
    if (bytes.length !== length) throw badStatement(`a field has ${bytes.length} bytes instead of ${length}`)
    return bytes
  }

  number(): number {
    return new DataView(this.fixed(4).buffer).getUint32(0)
  }

  time(): number {
    const view = new DataView(this.fixed(8).buffer)
    return view.getUint32(0) * TWO_TO_32 + view.getUint32(4)
  }

  /** ASCII, one byte a character: what else it may hold is for {@link checkStatement}. */
  text(): string {
    return String.fromCharCode(...this.field(NAME_BYTES_MAX))
  }

  list<T>(decode: (reader: FieldReader) => T): readonly T[] {
    const reader = new FieldReader(this.field(STATEMENT_BYTES_MAX))
    const entries: T[] = []
    while (!reader.atEnd) {
      if (entries.length === STATEMENT_DIGESTS_MAX) throw badStatement(`a list has at most ${STATEMENT_DIGESTS_MAX} entries`)
      const entry = new FieldReader(reader.field(STATEMENT_BYTES_MAX))
      entries.push(decode(entry))
      entry.end()
    }
    return entries
  }

  end(): void {
    if (!this.atEnd) throw badStatement('something follows its last field')
  }
}

function decodeDigest(reader: FieldReader): StatementDigest {
  const levels = reader.field(PATH_BYTES_MAX)
  if (levels.length % 4 !== 0) throw badStatement('a level of a path is 4 bytes')
  const view = new DataView(levels.buffer)
  return { path: Array.from({ length: levels.length / 4 }, (_, i) => view.getUint32(4 * i)), digest: reader.fixed(32) }
}

function decodeItem(reader: FieldReader): StatementItem {
  return { payloadHash: reader.fixed(32), summaryHash: reader.fixed(32), digests: reader.list(decodeDigest) }
}

/**
 * The statement of exactly these bytes; `encodeStatement` gives them back.
 *
 * @throws {InvalidArgument} BAD_STATEMENT on anything that `encodeStatement` does not write.
 */
export function decodeStatement(bytes: Uint8Array): Statement {
  if (bytes.length > STATEMENT_BYTES_MAX) throw badStatement(`longer than ${STATEMENT_BYTES_MAX} bytes`)
  const reader = new FieldReader(bytes)
  if (String.fromCharCode(...reader.field(FORMAT_BYTES_MAX)) !== STATEMENT_FORMAT) throw badStatement(`not of format ${STATEMENT_FORMAT}`)
  const statement: Statement = {
    clusterId: reader.fixed(32),
    requestId: reader.fixed(32),
    keyId: reader.text(),
    keyEpoch: reader.number(),
    payloadType: reader.text(),
    items: reader.list(decodeItem),
    policySequence: reader.number(),
    policyHash: reader.fixed(32),
    notBeforeMs: reader.time(),
    expiresAtMs: reader.time(),
    requester: reader.text(),
    nonce: reader.fixed(32),
  }
  reader.end()
  checkStatement(statement)
  return statement
}
