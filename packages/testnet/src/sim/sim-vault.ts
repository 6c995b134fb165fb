import type { KeyVault } from '@conclave/vault'
import type { Dice } from './dice.ts'
import type { Life, Timeline } from './timeline.ts'

/** A vault whose every answer takes simulated time, and never comes to a process that died. */
export function slowVault(vault: KeyVault, timeline: Timeline, life: Life, dice: Dice, slowMs: () => number): KeyVault {
  const slow = async <T>(act: () => Promise<T>): Promise<T> => {
    const wait = timeline.pause(0.1 + dice.float() + slowMs(), life)
    try {
      return await act()
    } finally {
      await wait
    }
  }
  return {
    ...vault,
    seal: (context, secret) => slow(() => vault.seal(context, secret)),
    open: (expected, record) => slow(() => vault.open(expected, record)),
    random: (length) => slow(() => vault.random(length)),
    health: () => slow(() => vault.health()),
    keks: () => slow(() => vault.keks()),
    rewrap: (shelf, options) => slow(() => vault.rewrap(shelf, options)),
    rotateKek: (shelf, options) => slow(() => vault.rotateKek(shelf, options)),
    destroyKeks: (hsm, shelf) => slow(() => vault.destroyKeks(hsm, shelf)),
    close: () => vault.close(),
    identity: { key: vault.identity.key, sign: (message) => slow(() => vault.identity.sign(message)) },
    checkpointSigner: { keys: vault.checkpointSigner.keys, sign: (message) => slow(() => vault.checkpointSigner.sign(message)) },
  }
}
