const PACKAGES = new URL('../../../../', import.meta.url).href
const MODEL = new URL('./', import.meta.url).href

export interface Replaced {
  readonly product: string
  readonly model: string
}

const file = (path: string, name: string): readonly [string, Replaced] => [path, { product: PACKAGES + path, model: MODEL + name }]

/** Files of packages, by their path under packages/. */
export const FILES: ReadonlyMap<string, Replaced> = new Map([
  file('core/src/ed25519.ts', 'ed25519.ts'),
  file('mpc/src/points.ts', 'points.ts'),
  file('mpc/src/constants.ts', 'constants.ts'),
  file('wire/src/sizes.ts', 'sizes.ts'),
  file('testnet/src/sim/group.ts', 'group.ts'),
])

/** Libraries, for one importer only: `importer specifier`. */
export const LIBRARIES: ReadonlyMap<string, string> = new Map(
  ['vault/src/soft-signing-key.ts'].map((path) => [`${PACKAGES}${path} @noble/curves/ed25519.js`, `${MODEL}ed25519.ts`]),
)
