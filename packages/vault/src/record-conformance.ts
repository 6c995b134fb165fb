import { equalBytes, InvalidArgument, toHex } from '@conclave/core'
import { expect } from 'chai'
import type { VaultCode } from './codes.ts'
import type { KeyVault, SealContext } from './key-vault.ts'
import { parseRecord } from './record.ts'
import { CONFORMANCE_CONTEXT as CONTEXT, opened, refusal, CONFORMANCE_SECRET as SECRET } from './rig-conformance.ts'

const CONCURRENT = 100

export function recordTests(vault: () => KeyVault): void {
  it('seal: a sealed secret opens, with either kind of version check satisfied', async () => {
    const record = await vault().seal(CONTEXT, SECRET)
    expect(await opened(vault().open(CONTEXT, record))).to.equal(toHex(SECRET))
    expect(await opened(vault().open({ ...CONTEXT, version: 3 }, record))).to.equal(toHex(SECRET))
  })

  it('seal: leaves the secret to the caller and never shows it in the record', async () => {
    const secret = SECRET.slice()
    const record = await vault().seal(CONTEXT, secret)
    expect(toHex(secret)).to.equal(toHex(SECRET))
    expect(toHex(record)).not.to.include(toHex(SECRET.subarray(0, 8)))
  })

  it('seal: two seals of one secret share neither data key, IV nor body', async () => {
    const [a, b] = (await Promise.all([vault().seal(CONTEXT, SECRET), vault().seal(CONTEXT, SECRET)])).map(parseRecord)
    expect(equalBytes(a!.body, b!.body)).to.equal(false)
    expect(equalBytes(a!.bodyIv, b!.bodyIv)).to.equal(false)
    const recipients = [...a!.recipients, ...b!.recipients]
    expect(new Set(recipients.map((r) => toHex(r.wrapped))).size).to.equal(4)
    // Key wraps have none.
    const ivs = recipients.map((r) => toHex(r.iv)).filter((iv) => iv !== '')
    expect(new Set(ivs).size).to.equal(ivs.length)
    expect(ivs.filter((iv) => /^0*$/.test(iv))).to.deep.equal([])
  })

  it('seal: every HSM is a recipient, with its serial, KEK and profile', async () => {
    const { recipients, context } = parseRecord(await vault().seal(CONTEXT, SECRET))
    expect(context).to.deep.equal(CONTEXT)
    expect(recipients.map((r) => r.name)).to.deep.equal(['primary', 'backup'])
    expect(new Set(recipients.map((r) => r.tokenSerial)).size).to.equal(2)
    expect(new Set(recipients.map((r) => r.kekId)).size).to.equal(2)
  })

  for (const length of [1, 15, 16, 17, 1024, 300_000]) {
    it(`seal: ${length} bytes come back as they went in`, async () => {
      const secret = Uint8Array.from({ length }, (_, i) => (i * 31) & 0xff)
      using back = await vault().open(CONTEXT, await vault().seal(CONTEXT, secret))
      expect(equalBytes(back.bytes, secret)).to.equal(true)
    })
  }

  it('seal: an empty secret and a context that is not canonical are refused', async () => {
    for (const [context, secret] of [
      [CONTEXT, new Uint8Array(0)],
      [{ ...CONTEXT, clusterId: 'C1'.repeat(32) }, SECRET],
      [{ ...CONTEXT, nodeId: '' }, SECRET],
      [{ ...CONTEXT, keyId: 'with space' }, SECRET],
      [{ ...CONTEXT, epoch: -1 }, SECRET],
      [{ ...CONTEXT, version: 1.5 }, SECRET],
    ] as const) {
      const error = await vault()
        .seal(context, secret)
        .catch((e: unknown) => e)
      expect(error).to.be.instanceOf(InvalidArgument)
    }
  })

  it(`seal, open: ${CONCURRENT} in parallel do not mix`, async () => {
    const secrets = Array.from({ length: CONCURRENT }, (_, i) => Uint8Array.from({ length: 40 }, (_, k) => (i * 7 + k) & 0xff))
    const contexts = secrets.map((_, i) => ({ ...CONTEXT, keyId: `key-${i}` }))
    const back = await Promise.all(secrets.map(async (s, i) => opened(vault().open(contexts[i]!, await vault().seal(contexts[i]!, s)))))
    expect(back).to.deep.equal(secrets.map(toHex))
  })
}

function without<T>(bytes: T[], at: number): T[] {
  return bytes.filter((_, i) => i !== at)
}

export function tamperTests(vault: () => KeyVault): void {
  it('open: a change of any byte of a record is refused', async () => {
    const record = await vault().seal(CONTEXT, SECRET)
    const { header } = parseRecord(record)
    for (let at = 0; at < record.length; at++) {
      const changed = record.slice()
      changed[at]! ^= 1 << (at % 8)
      const { code } = await refusal(vault().open(CONTEXT, changed))
      // Names of keys and formats are looked up before anything can be authenticated.
      const allowed: VaultCode[] = at < header.length ? ['TAMPER', 'KEY_MISSING', 'UNSUPPORTED'] : ['TAMPER']
      expect(allowed, `byte ${at} of ${record.length}`).to.include(code)
    }
    expect(await opened(vault().open(CONTEXT, record))).to.equal(toHex(SECRET))
  })

  it('open: a record with a byte less, more or missing is TAMPER', async () => {
    const record = await vault().seal(CONTEXT, SECRET)
    const broken = [new Uint8Array(0), record.subarray(1), Uint8Array.from([...record, 0])]
    for (let at = 0; at < record.length; at += 7) broken.push(record.subarray(0, at), Uint8Array.from(without([...record], at)))
    for (const bytes of broken)
      expect(['TAMPER', 'UNSUPPORTED', 'KEY_MISSING']).to.include((await refusal(vault().open(CONTEXT, bytes))).code)
    expect((await refusal(vault().open(CONTEXT, record.subarray(0, -1)))).code).to.equal('TAMPER')
  })

  const others: Partial<SealContext>[] = [
    { clusterId: 'c2'.repeat(32) },
    { nodeId: 'oslo' },
    { recordType: 'pair-state' },
    { keyId: 'treasury2' },
    { epoch: 5 },
    { epoch: 3 },
  ]
  for (const other of others) {
    it(`open: a record of another ${JSON.stringify(other)} is TAMPER`, async () => {
      const record = await vault().seal({ ...CONTEXT, ...other }, SECRET)
      expect((await refusal(vault().open(CONTEXT, record))).code).to.equal('TAMPER')
    })
  }

  it('open: parts of two authentic records do not make a third', async () => {
    const [a, b] = await Promise.all([vault().seal(CONTEXT, SECRET), vault().seal({ ...CONTEXT, version: 8 }, SECRET)])
    const at = parseRecord(a).header.length
    const joined = Uint8Array.from([...a.subarray(0, at), ...b.subarray(at)])
    expect((await refusal(vault().open(CONTEXT, joined))).code).to.equal('TAMPER')
  })

  it('open: a lower version is ROLLBACK, and not retriable', async () => {
    const record = await vault().seal(CONTEXT, SECRET)
    const error = await refusal(vault().open({ ...CONTEXT, version: CONTEXT.version + 1 }, record))
    expect(error.code).to.equal('ROLLBACK')
    expect(error.retriable).to.equal(false)
  })
}
