import { readFile, rename, writeFile } from 'node:fs/promises'
import { CHECKPOINT_KEYS_MAX, ConfigError, formatKey, type IdentityKey, parseCard, sameIdentity } from '@conclave/core'

/**
 * Adds the checkpoint key of a new HSM to a node's card; one that is there stays. Signatures of it count from the next lock on that is
 * made of the card.
 *
 * @throws {ConfigError} CARD_UNREADABLE, CARD_FULL; BAD_LOCK and BAD_IDENTITY of a card that is none.
 */
export async function addToCard(file: string, key: IdentityKey): Promise<void> {
  let value: object
  try {
    value = JSON.parse(await readFile(file, 'utf8'))
  } catch (cause) {
    throw new ConfigError('CARD_UNREADABLE', `cannot read the card ${file}`, { file }, cause)
  }
  const card = parseCard(value)
  if (card.kind !== 'node') throw new ConfigError('CARD_UNREADABLE', `${file} is not the card of a node`, { file })
  if (card.checkpointKeys.some((k) => sameIdentity(k, key))) return
  if (card.checkpointKeys.length >= CHECKPOINT_KEYS_MAX)
    throw new ConfigError('CARD_FULL', `a node has at most ${CHECKPOINT_KEYS_MAX} checkpoint keys, and ${file} lists as many`, { file })
  const next = { ...value, checkpointKeys: [...card.checkpointKeys, key].map(formatKey) }
  await writeFile(`${file}.next`, `${JSON.stringify(next, null, 2)}\n`)
  await rename(`${file}.next`, file)
}
