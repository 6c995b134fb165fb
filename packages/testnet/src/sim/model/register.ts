/**
 * Preload of simulations (`node --import`): puts the model group and its small numbers in the place of the real arithmetic, for the
 * whole process. Nothing of the product knows about it, and nothing else of the product is replaced.
 */
import { registerHooks } from 'node:module'

const PACKAGES = new URL('../../../../', import.meta.url).href
const MODEL = new URL('./', import.meta.url).href

/** Files of packages, by their path. */
const FILES: ReadonlyMap<string, string> = new Map([
  [`${PACKAGES}core/src/hash.ts`, `${MODEL}hash.ts`],
  [`${PACKAGES}mpc/src/arithmetic.ts`, `${MODEL}arithmetic.ts`],
  [`${PACKAGES}mpc/src/ecdsa.ts`, `${MODEL}ecdsa.ts`],
  [`${PACKAGES}mpc/src/constants.ts`, `${MODEL}constants.ts`],
  [`${PACKAGES}wire/src/sizes.ts`, `${MODEL}sizes.ts`],
  [`${PACKAGES}testnet/src/sim/group.ts`, `${MODEL}group.ts`],
])

/** Libraries, for one importer only. */
const LIBRARIES: ReadonlyMap<string, string> = new Map([
  [`${PACKAGES}core/src/identity.ts @noble/curves/ed25519.js`, `${MODEL}ed25519.ts`],
  [`${PACKAGES}vault/src/memory-hsm.ts @noble/curves/ed25519.js`, `${MODEL}ed25519.ts`],
])

registerHooks({
  resolve(specifier, context, next) {
    const library = LIBRARIES.get(`${context.parentURL} ${specifier}`)
    if (library !== undefined) return { url: library, shortCircuit: true }
    const found = next(specifier, context)
    const file = FILES.get(found.url)
    return file === undefined ? found : { ...found, url: file }
  },
})
