import { AuditError } from './audit-error.ts'
import { FILE_BYTES_MAX } from './disk.ts'
import type { LogFilesReader } from './tree-walk.ts'

const TIMEOUT_MS = 30_000

function bad(message: string, cause?: unknown): AuditError {
  return new AuditError('BAD_SOURCE', `audit log: ${message}`, { cause, retriable: true })
}

async function bodyOf(response: Response, bytesMax: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of response.body ?? []) {
    bytes += part.length
    if (bytes > bytesMax) throw bad(`more than ${bytesMax} bytes came from ${response.url}`)
    parts.push(part)
  }
  return new Uint8Array(Buffer.concat(parts))
}

/** A log that somebody serves under a URL prefix, as C2SP tlog-tiles has it. Nothing that comes is believed. @throws {AuditError} BAD_SOURCE. */
export function httpSource(prefix: string): LogFilesReader {
  const base = URL.canParse(prefix) ? new URL(prefix.endsWith('/') ? prefix : `${prefix}/`) : undefined
  if (base === undefined || !/^https?:$/.test(base.protocol)) throw bad(`"${prefix}" is not an http or https URL`)
  return {
    async read(path, bytesMax = FILE_BYTES_MAX) {
      const url = new URL(path, base)
      try {
        const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) })
        if (response.status === 404) return undefined
        if (response.status !== 200) throw bad(`${url} answered ${response.status}`)
        return await bodyOf(response, bytesMax)
      } catch (cause) {
        if (cause instanceof AuditError) throw cause
        throw bad(`cannot read ${url}`, cause)
      }
    },
  }
}
