const FIRST_MS = Date.UTC(2020, 0)
const EPOCH_EVERY_MS = 10_000

/**
 * How many epochs of a key there are room for by now: one for every ten seconds since 2020.
 *
 * Whatever number of an epoch a node will take part in, one node alone can be brought to use up, and no other would know. This limit
 * rises by itself, so that such a number is soon behind it, and 32 bits last for 1,361 years however many epochs are wasted.
 */
export const epochsByNow = (nowMs: number): number => Math.max(0, Math.floor((nowMs - FIRST_MS) / EPOCH_EVERY_MS))
