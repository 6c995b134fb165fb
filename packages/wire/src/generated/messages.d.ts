import type { Writer } from 'protobufjs'

export interface Codec {
  encode(message: object, writer: Writer): Writer
  decode(bytes: Uint8Array): Record<string, unknown>
}
export const conclave: Readonly<Record<string, Codec>>
