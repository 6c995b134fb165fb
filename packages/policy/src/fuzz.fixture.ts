import { canonicalJson, fromHex, parseCanonicalJson, toHex, utf8 } from '@conclave/core'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { type DecodedPayload, decodePayload } from './decoded-payload.ts'
import { encodeDrill } from './drill.ts'
import { evaluate } from './evaluate.ts'
import { SUPPLIER, unsigned, unsigned2930, unsignedLegacy } from './naive-rlp.fixture.ts'
import { parsePolicy } from './policy-file.ts'
import { formatPolicySignatures, parsePolicySignatures } from './policy-signatures.ts'
import { type FixturePsbt, PAYEE, psbtOf, ROOT } from './psbt.fixture.ts'
import { VECTORS } from './statement.fixture.ts'
import { decodeStatement, encodeStatement } from './statement-bytes.ts'
import { MAIL, permit, typedBytes } from './typed-data.fixture.ts'

const POLICY = `version: 1
sequence: 1
rules:
  - name: pay-suppliers
    effect: allow
    when:
      chains: [31337]
      destinations: ["${SUPPLIER}"]
      amountMaxWei: "1000000000000000000"
      keys: [treasury-1]
      data: any
  - name: frozen
    effect: deny
    when: { keys: [treasury-9] }
`

const KEY = new Uint8Array(32).fill(5)
const PAYLOADS = [
  unsigned(),
  unsigned({ data: new Uint8Array(70).fill(1), value: 0n, nonce: 0n }),
  unsigned({ accessList: [[new Uint8Array(20), [KEY, KEY]]] }),
  unsigned2930({ accessList: [[new Uint8Array(20), [KEY]]] }),
  unsignedLegacy(),
  unsignedLegacy({ to: '', data: KEY }, { chainId: 31337n }),
  unsigned({ data: fromHex(`a9059cbb${'00'.repeat(12)}${SUPPLIER.slice(2)}${'01'.repeat(32)}`) }),
]

const ONE_INPUT: FixturePsbt = {
  inputs: [{ kind: 'p2sh-p2wsh', path: [7], amountSat: 5000n, previous: null }],
  outputs: [{ to: PAYEE, amountSat: 1n }],
}

/** Whatever was decoded is shown whole, in print that a terminal cannot be tricked with, and judged without an error. */
function judge(input: Uint8Array): void {
  const payload = decodePayload('evm.tx', input)
  if (toHex(payload.digest) !== toHex(keccak_256(input))) throw new Error('another digest than that of these bytes')
  weigh(payload)
}

function weigh(payload: DecodedPayload): void {
  const shown = payload.summary.map((line) => line.label + line.value).join('')
  if (!/^[\x20-\x7e]*$/.test(shown)) throw new Error('a summary that is not printable')
  const verdict = evaluate(parsePolicy(POLICY), { keyId: 'treasury-1', path: [0, 5], payload })
  if (verdict.code === 'POLICY_ERROR') throw new Error('a verdict by accident')
}

/** What goes in comes out, to the satoshi, and there is one digest for each input. */
function judgePsbt(input: Uint8Array): void {
  const payload = decodePayload('btc.psbt', input, { key: ROOT })
  const sum = (of: readonly { readonly amountSat: bigint }[]) => of.reduce((total, { amountSat }) => total + amountSat, 0n)
  if (sum(payload.inputs) !== sum(payload.outputs) + payload.feeSat) throw new Error('money from nowhere')
  if (payload.digests.length !== payload.inputs.length) throw new Error('an input without a digest')
  weigh(payload)
}

/** What JSON says is signed as it says it: there is no second text of it. */
function judgeTyped(input: Uint8Array): void {
  const payload = decodePayload('eip712', input)
  if (toHex(utf8(canonicalJson(parseCanonicalJson(input)))) !== toHex(input)) throw new Error('typed data of two texts')
  weigh(payload)
}

function read(input: Uint8Array): void {
  const policy = parsePolicy(new TextDecoder().decode(input))
  for (const bytes of PAYLOADS) evaluate(policy, { keyId: 'treasury-1', path: [], payload: decodePayload('evm.tx', bytes) })
}

const DRILLS = [{ clusterId: 'c1'.repeat(32), keyId: 'treasury-1', node: 'zurich', hsm: 'primary', atMs: 1_800_000_000_000 }].map(
  encodeDrill,
)

/** A drill is written in one way. */
function judgeDrill(input: Uint8Array): void {
  const payload = decodePayload('drill', input)
  if (toHex(encodeDrill(payload)) !== toHex(input)) throw new Error('a drill of two forms')
  weigh(payload)
}

const WORD = { clusterId: KEY, sequence: 3, policyHash: KEY, textHash: KEY }
const GATHERED = formatPolicySignatures({ ...WORD, signatures: [{ author: 'ada', signature: new Uint8Array(64) }] })

/** What is read of signatures survives its file. */
function gather(input: Uint8Array): void {
  const text = formatPolicySignatures(parsePolicySignatures(new TextDecoder().decode(input), 'f'))
  if (formatPolicySignatures(parsePolicySignatures(text, 'f')) !== text) throw new Error('signatures do not survive their file')
}

/** What is read as a statement has no other bytes. */
function restate(input: Uint8Array): void {
  if (toHex(encodeStatement(decodeStatement(input))) !== toHex(input)) throw new Error('a statement of two forms')
}

export const TARGETS = [
  {
    ...{ name: 'policy.evm-tx', kind: 'bytes', runs: 600, codes: /^PAYLOAD_UNDECODABLE$/, bounded: true },
    start: () => ({ seeds: PAYLOADS, run: judge }),
  },
  {
    ...{ name: 'policy.eip712', kind: 'json', runs: 400, codes: /^PAYLOAD_UNDECODABLE$/ },
    start: () => ({ seeds: [MAIL, permit(SUPPLIER, '5')].map(typedBytes), run: judgeTyped }),
  },
  {
    ...{ name: 'policy.btc-psbt', kind: 'bytes', runs: 150, codes: /^PAYLOAD_UNDECODABLE$/, bounded: true },
    start: () => ({ seeds: [psbtOf(), psbtOf({ version: 2 }), psbtOf(ONE_INPUT)], run: judgePsbt }),
  },
  { name: 'policy.drill', kind: 'json', runs: 300, codes: /^PAYLOAD_UNDECODABLE$/, start: () => ({ seeds: DRILLS, run: judgeDrill }) },
  {
    ...{ name: 'policy.statement', kind: 'bytes', runs: 600, codes: /^BAD_STATEMENT$/, bounded: true },
    start: () => ({ seeds: VECTORS.statements.map(({ bytes }) => fromHex(bytes)), run: restate }),
  },
  {
    ...{ name: 'policy.signatures', kind: 'json', runs: 300, codes: /^BAD_POLICY_SIGNATURES$/ },
    start: () => ({ seeds: [utf8(GATHERED)], run: gather }),
  },
  { name: 'policy.file', kind: 'text', runs: 300, codes: /^BAD_POLICY$/, start: () => ({ seeds: [utf8(POLICY)], run: read }) },
]
