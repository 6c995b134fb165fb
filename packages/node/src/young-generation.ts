import { setFlagsFromString } from 'node:v8'

/** Megabytes of one half, of which V8 keeps two. */
const SEMI_SPACE_MB = 4

/**
 * Bounds what V8 keeps for short-lived objects in threads that start from here on. Left alone it grows to 128 MB in each, which is most
 * of a busy node's memory and saves it nothing. The main thread is bounded only by the flag `--max-semi-space-size=4` of the command line.
 */
export function boundYoungGeneration(): void {
  setFlagsFromString(`--max-semi-space-size=${SEMI_SPACE_MB}`)
}
