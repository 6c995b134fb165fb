import type { ComponentLogger, Logger as Libp2pLogger } from '@libp2p/interface'

/** The part of pino that this package uses: an object of fields, then a message. Fields are never secret. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

function nothing(): void {
  // A logger that was not asked for drops what it is told.
}

export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }

function silentScope(): Libp2pLogger {
  return Object.assign(() => undefined, { error: nothing, trace: nothing, enabled: false, newScope: silentScope })
}

/** libp2p's own log is off whatever DEBUG says: it is not ours to format, and noise can be told to log keys through it. */
export const libp2pLogger: ComponentLogger = { forComponent: silentScope }
