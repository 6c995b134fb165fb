import { codeOf, concat, type DerivationPath, deriveChild, type ExtendedKey, fromHex, u32 } from '@conclave/core'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { Address, OutScript, p2ms, p2pkh, p2sh, p2wpkh, p2wsh } from '@scure/btc-signer'
import { expect } from 'chai'
import { hash160 } from './hash160.ts'
import { type Field, little, type NaiveTx, NO_KEY, naivePsbt, naiveTx, twice, witnessUtxo } from './naive-psbt.fixture.ts'

const { Fn } = secp256k1.Point
const SECRET = new Uint8Array(32).fill(11)
/** The root key of the tests. */
export const ROOT = { publicKey: secp256k1.getPublicKey(SECRET, true), chainCode: new Uint8Array(32).fill(12) }
const fingerprintOf = ({ publicKey }: ExtendedKey) => hash160(publicKey).subarray(0, 4)
const COSIGNER = secp256k1.getPublicKey(new Uint8Array(32).fill(13), true)
/** Of nobody in the tests. */
export const PAYEE = 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4'

export type Kind = 'p2pkh' | 'p2wpkh' | 'p2sh-p2wpkh' | 'p2sh-ms' | 'p2wsh-ms' | 'p2wsh-one' | 'p2sh-p2wsh'
export const KINDS: readonly Kind[] = ['p2pkh', 'p2wpkh', 'p2sh-p2wpkh', 'p2sh-ms', 'p2wsh-ms', 'p2wsh-one', 'p2sh-p2wsh']
/** Kinds of which our signature is all that an input needs. */
export const ALONE: readonly Kind[] = ['p2pkh', 'p2wpkh', 'p2sh-p2wpkh', 'p2wsh-one', 'p2sh-p2wsh']
const LEGACY: readonly Kind[] = ['p2pkh', 'p2sh-ms']

export const publicKeyAt = (path: DerivationPath, root: ExtendedKey = ROOT): Uint8Array => deriveChild(root, path).publicKey

export function signAt(path: DerivationPath, digest: Uint8Array): Uint8Array {
  const secret = Fn.toBytes(Fn.add(Fn.fromBytes(SECRET), Fn.fromBytes(deriveChild(ROOT, path).tweak)))
  return secp256k1.sign(digest, secret, { prehash: false })
}

interface Scripts {
  readonly script: Uint8Array
  readonly redeemScript?: Uint8Array
  readonly witnessScript?: Uint8Array
}

/** How money of a child is held. */
export function scriptsOf(kind: Kind, path: DerivationPath, root: ExtendedKey = ROOT): Scripts {
  const key = publicKeyAt(path, root)
  const one = p2ms(1, [key])
  switch (kind) {
    case 'p2pkh':
      return p2pkh(key)
    case 'p2wpkh':
      return p2wpkh(key)
    case 'p2sh-p2wpkh':
      return p2sh(p2wpkh(key)) as Scripts
    case 'p2sh-ms':
      return p2sh(p2ms(2, [key, COSIGNER])) as Scripts
    case 'p2wsh-ms':
      return p2wsh(p2ms(2, [COSIGNER, key])) as Scripts
    case 'p2wsh-one':
      return p2wsh(one) as Scripts
    case 'p2sh-p2wsh':
      return p2sh(p2wsh(one)) as Scripts
  }
}

/** A transaction that pays `amountSat` at place 1, and something else at place 0. */
export function previousOf(script: Uint8Array, amountSat: bigint, seed: number): Uint8Array {
  const outputs = [
    { amountSat: 1n, script: fromHex('51') },
    { amountSat, script },
  ]
  return naiveTx(
    { version: 2, inputs: [{ txid: sha256(u32(seed)), index: 0, sequence: 0xffffffff }], outputs, lockTime: 0 },
    new Map([[0, fromHex('51')]]),
  )
}

export const txidOf = (raw: Uint8Array): Uint8Array => twice(raw).toReversed()

/** What of an input or an output is otherwise than the key and the kind make it. */
interface Changes {
  /** Paths that BIP32 fields name, each with the key that is said to be there; by default the true one. */
  readonly claims?: readonly { readonly path: readonly number[]; readonly publicKey?: Uint8Array; readonly fingerprint?: Uint8Array }[]
  /** More fields. */
  readonly fields?: readonly Field[]
}

export interface FixtureInput extends Changes {
  readonly kind: Kind
  readonly path: DerivationPath
  readonly amountSat: bigint
  /** The whole previous transaction: another one, or none. */
  readonly previous?: Uint8Array | null
  /** What it spends, beside or instead of the whole transaction: another one, or none. */
  readonly utxo?: { readonly script: Uint8Array; readonly amountSat: bigint } | null
  readonly redeemScript?: Uint8Array
  readonly witnessScript?: Uint8Array
  /** The number that makes its previous transaction another one. */
  readonly seed?: number
  readonly index?: number
}

export interface FixtureOutput extends Changes {
  /** An address, or a child of the key. */
  readonly to: string | DerivationPath
  readonly amountSat: bigint
  readonly kind?: Kind
}

function claimFields(type: number, claims: NonNullable<Changes['claims']>, root: ExtendedKey): Field[] {
  return claims.map(({ path, publicKey, fingerprint = fingerprintOf(root) }) => [
    type,
    publicKey ?? publicKeyAt(path, root),
    concat(fingerprint, ...path.map((index) => little(index, 4))),
  ])
}

function inputFields(input: FixtureInput, previous: Uint8Array, root: ExtendedKey): readonly Field[] {
  const { kind, path, amountSat, claims = [{ path }], fields = [] } = input
  const scripts = scriptsOf(kind, path, root)
  const whole = input.previous === undefined ? previous : input.previous
  const utxo = input.utxo === undefined ? (LEGACY.includes(kind) ? null : { script: scripts.script, amountSat }) : input.utxo
  const [redeem, witness] = [input.redeemScript ?? scripts.redeemScript, input.witnessScript ?? scripts.witnessScript]
  return [
    ...(whole === null ? [] : [[0, NO_KEY, whole] as const]),
    ...(utxo === null ? [] : [witnessUtxo(utxo)]),
    ...(redeem === undefined ? [] : [[4, NO_KEY, redeem] as const]),
    ...(witness === undefined ? [] : [[5, NO_KEY, witness] as const]),
    ...claimFields(6, claims, root),
    ...fields,
  ]
}

const scriptOf = ({ to, kind = 'p2wpkh' }: FixtureOutput, root: ExtendedKey) =>
  typeof to === 'string' ? OutScript.encode(Address().decode(to)) : scriptsOf(kind, to, root).script

function outputFields({ to, claims, fields = [] }: FixtureOutput, root: ExtendedKey): readonly Field[] {
  return [...claimFields(2, claims ?? (typeof to === 'string' ? [] : [{ path: to }]), root), ...fields]
}

export interface FixturePsbt {
  readonly inputs?: readonly FixtureInput[]
  readonly outputs?: readonly FixtureOutput[]
  readonly version?: 0 | 2
  readonly lockTime?: number
  /** Whose children sign; default ROOT. */
  readonly root?: ExtendedKey
}

const INPUTS: readonly FixtureInput[] = [
  { kind: 'p2wpkh', path: [0, 5], amountSat: 60_000n },
  { kind: 'p2pkh', path: [0, 6], amountSat: 50_000n },
]
const OUTPUTS: readonly FixtureOutput[] = [
  { to: PAYEE, amountSat: 80_000n },
  { to: [1, 0], amountSat: 29_000n },
]

/** 60,000 and 50,000 sat of two children; 80,000 to PAYEE, 29,000 back, 1,000 in fees. */
function planOf({ inputs = INPUTS, outputs = OUTPUTS, lockTime = 0, root = ROOT }: FixturePsbt) {
  const previous = inputs.map(({ kind, path, amountSat, seed }, i) => previousOf(scriptsOf(kind, path, root).script, amountSat, seed ?? i))
  const tx: NaiveTx = {
    ...{ version: 2, lockTime },
    inputs: inputs.map(({ index = 1 }, i) => ({ txid: txidOf(previous[i] as Uint8Array), index, sequence: 0xfffffffd })),
    outputs: outputs.map((output) => ({ amountSat: output.amountSat, script: scriptOf(output, root) })),
  }
  return { tx, previous, inputs, outputs, root }
}

export const txOf = (plan: FixturePsbt = {}): NaiveTx => planOf(plan).tx

export function psbtOf(plan: FixturePsbt = {}): Uint8Array {
  const { tx, previous, inputs, outputs, root } = planOf(plan)
  const fields = inputs.map((input, i) => inputFields(input, previous[i] as Uint8Array, root))
  return naivePsbt({ version: plan.version ?? 0, tx, inputs: fields, outputs: outputs.map((output) => outputFields(output, root)) })
}

/** What a payload is refused with, or `accepted`. */
export function failure(run: () => unknown): string {
  try {
    run()
    return 'accepted'
  } catch (error) {
    expect(codeOf(error)).equal('PAYLOAD_UNDECODABLE')
    return String(error)
  }
}
