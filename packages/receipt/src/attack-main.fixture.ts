// Every attack of docs/spec/receipt.md, every altered field, and every byte of a receipt with one bit flipped: `npm run -s attack:receipt -- --json`.
import { parseArgs } from 'node:util'
import { codeOf } from '@conclave/core'
import { alterations } from './altered.fixture.ts'
import { JUDGES, madeReceipt } from './made-receipt.fixture.ts'
import { RECEIPT_ATTACKS } from './receipt-attacks.fixture.ts'
import { encodeReceipt, type ReceiptDocument } from './receipt-document.ts'
import { type VerifyReceiptOptions, verifyReceipt } from './verify-receipt.ts'

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } })
const byCode: Record<string, number> = {}
const accepted: string[] = []

function attempt(what: string, bytes: Uint8Array, options: VerifyReceiptOptions = JUDGES): void {
  try {
    verifyReceipt(bytes, options)
    accepted.push(what)
  } catch (error) {
    const code = codeOf(error)
    byCode[code] = (byCode[code] ?? 0) + 1
  }
}

for (const { name, make, judges } of RECEIPT_ATTACKS) attempt(name, encodeReceipt(await make()), judges)
const { document, policy } = await madeReceipt({ before: 1 })
const bytes = encodeReceipt(document)
const outcomes = new Set([0, 1, 2].map((i) => `receipt.nodes.${i}.entries, alteration 0`))
// That a node recorded the outcome may be left out.
for (const { what, value } of alterations(JSON.parse(new TextDecoder().decode(bytes))))
  if (!outcomes.has(what)) attempt(what, encodeReceipt(value as unknown as ReceiptDocument), { ...JUDGES, policy })
for (let i = 0; i < bytes.length; i++) {
  const flipped = Uint8Array.from(bytes)
  flipped[i] = (flipped[i] as number) ^ 1
  attempt(`byte ${i}`, flipped)
}
const refused = Object.values(byCode).reduce((a, b) => a + b, 0)
const result = { attempts: refused + accepted.length, refused, byCode, accepted }
if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`)
else for (const [name, value] of Object.entries(result)) process.stdout.write(`${name}: ${JSON.stringify(value)}\n`)
process.exitCode = accepted.length === 0 && byCode.INTERNAL === undefined ? 0 : 1
