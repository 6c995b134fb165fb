import type { FarLinks } from '@conclave/testnet'

/** Milliseconds there and back between five places, 40 to 80. */
export const ROUND_TRIPS_MS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  zurich: { oslo: 52, lisbon: 58, vienna: 40, dublin: 48 },
  oslo: { lisbon: 80, vienna: 56, dublin: 54 },
  lisbon: { vienna: 70, dublin: 64 },
  vienna: { dublin: 62 },
  dublin: {},
}

/** The coordinator, and whoever asks it, stand beside this node. */
export const COORDINATOR_SITE = 'zurich'

/** There and back between two members; 0 within one place. @throws {RangeError} when one has no place. */
export function roundTripMs(a: string, b: string): number {
  const [from, to] = [a, b].map((name) => (name === 'coordinator' ? COORDINATOR_SITE : name)) as [string, string]
  if (from === to) return 0
  const ms = ROUND_TRIPS_MS[from]?.[to] ?? ROUND_TRIPS_MS[to]?.[from]
  if (ms === undefined) throw new RangeError(`nothing is known of the way from ${a} to ${b}`)
  return ms
}

/** Half of the way there and back in each direction, always the same. */
export const FAR_LINKS: FarLinks = { delayMs: (from, to) => roundTripMs(from, to) / 2 }
