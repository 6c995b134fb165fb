/**
 * Preload of simulations (`node --import`): puts the model group and its small numbers in the place of the real arithmetic, for the
 * whole process. Nothing of the product knows about it, and nothing else of the product is replaced.
 */
import { registerHooks } from 'node:module'
import { FILES, LIBRARIES } from './replaced.ts'

const MODELS: ReadonlyMap<string, string> = new Map([...FILES.values()].map(({ product, model }) => [product, model]))

registerHooks({
  resolve(specifier, context, next) {
    const library = LIBRARIES.get(`${context.parentURL} ${specifier}`)
    if (library !== undefined) return { url: library, shortCircuit: true }
    const found = next(specifier, context)
    const file = MODELS.get(found.url)
    return file === undefined ? found : { ...found, url: file }
  },
})
