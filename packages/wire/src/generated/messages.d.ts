export interface Codec {
  encode(message: object): { finish(): Uint8Array }
  decode(bytes: Uint8Array): Record<string, unknown>
}
export const conclave: Readonly<Record<string, Codec>>
