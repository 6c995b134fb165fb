/** How many bytes of a secret make a find: what truncated output would still show. */
const TRACE_BYTES = 16

/** Base64 of bytes wherever they stand in a longer text: three phases, without the digits that neighbours decide. */
function base64Phases(bytes: Uint8Array, encoding: 'base64' | 'base64url'): readonly string[] {
  return [0, 1, 2].map((phase) => {
    const text = Buffer.concat([Buffer.alloc(phase), bytes])
      .toString(encoding)
      .replaceAll('=', '')
    return text.slice(Math.ceil((8 * phase) / 6), Math.floor((8 * (phase + bytes.length)) / 6))
  })
}

/**
 * How a secret would look if it leaked: raw and in the encodings of logs, JSON and debuggers, its beginning being enough; a scalar
 * also as a whole number.
 */
export function tracesOf(secret: Uint8Array): readonly Buffer[] {
  const start = secret.subarray(0, TRACE_BYTES)
  const hex = Buffer.from(start).toString('hex')
  const texts = [
    hex,
    hex.toUpperCase(),
    (hex.match(/../g) ?? []).join(' '),
    ...base64Phases(start, 'base64'),
    ...base64Phases(start, 'base64url'),
    start.join(','),
    start.join(', '),
    [...start].map((byte, i) => `"${i}":${byte}`).join(','),
    ...(secret.length === 32 ? [BigInt(`0x${Buffer.from(secret).toString('hex')}`).toString()] : []),
  ]
  return [Buffer.from(start), ...texts.map((text) => Buffer.from(text))]
}

/** The files in which a trace occurs. */
export function filesWith(files: ReadonlyMap<string, Buffer>, traces: readonly Buffer[]): readonly string[] {
  return [...files].filter(([, content]) => traces.some((trace) => content.includes(trace))).map(([path]) => path)
}
