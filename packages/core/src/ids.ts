import { InvalidArgument } from './errors.ts'

/** Index of a party, 1..9, fixed when the cluster lock is signed. */
export type PartyId = number

export const PARTIES_MAX = 9

/** @throws {InvalidArgument} BAD_PARTY unless `value` is an integer in 1..n. */
export function parsePartyId(value: number, n: number = PARTIES_MAX): PartyId {
  if (!Number.isInteger(value) || value < 1 || value > n) {
    throw new InvalidArgument('BAD_PARTY', `party index must be an integer between 1 and ${n}`, { value })
  }
  return value
}

/**
 * A set of parties as a strictly increasing list.
 *
 * @throws {InvalidArgument} BAD_PARTY_SET on an index outside 1..n or a duplicate.
 */
export function parsePartySet(values: readonly number[], n: number = PARTIES_MAX): readonly PartyId[] {
  const sorted = values.map((v) => parsePartyId(v, n)).sort((a, b) => a - b)
  if (new Set(sorted).size !== sorted.length) throw new InvalidArgument('BAD_PARTY_SET', 'a party is named twice', { values: [...values] })
  return sorted
}

const KEY_ID = /^[a-z0-9][a-z0-9-]{0,62}$/

/** @throws {InvalidArgument} BAD_KEY_ID unless 1..63 of a-z, 0-9 and '-', not starting with '-'. */
export function parseKeyId(value: string): string {
  if (!KEY_ID.test(value)) throw new InvalidArgument('BAD_KEY_ID', 'a key id is 1 to 63 characters of a-z, 0-9 and "-"')
  return value
}

/** @throws {InvalidArgument} BAD_THRESHOLD unless 2 <= t <= n <= 9. */
export function checkThreshold(t: number, n: number): void {
  if (!Number.isInteger(t) || !Number.isInteger(n) || t < 2 || t > n || n > PARTIES_MAX) {
    throw new InvalidArgument('BAD_THRESHOLD', `need 2 <= threshold <= parties <= ${PARTIES_MAX}`, { threshold: t, parties: n })
  }
}
