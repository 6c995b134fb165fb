import { codeOf, concat, deriveChild, formatPath, fromHex, toHex } from '@conclave/core'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { Transaction } from '@scure/btc-signer'
import { Psbt } from 'bitcoinjs-lib'
import { expect } from 'chai'
import { describeScript } from './bitcoin-address.ts'
import { decodePayload, digestsAt } from './decoded-payload.ts'
import { type Field, little, NO_KEY, naiveDigest } from './naive-psbt.fixture.ts'
import {
  ALONE,
  type FixtureInput,
  type FixturePsbt,
  KINDS,
  PAYEE,
  previousOf,
  psbtOf,
  publicKeyAt,
  ROOT,
  scriptsOf,
  signAt,
  txOf,
} from './psbt.fixture.ts'
import { PSBT_BYTES_MAX, PSBT_INPUTS_MAX, PSBT_OUTPUTS_MAX } from './psbt.ts'
import { assemblePsbt } from './psbt-assemble.ts'
import { psbtDigest } from './psbt-digest.ts'
import { PSBT_STEPS_MAX } from './psbt-keys.ts'

const CONTEXT = { key: ROOT }
const decode = (psbt: Uint8Array) => decodePayload('btc.psbt', psbt, CONTEXT)
const decoded = (plan: FixturePsbt) => decode(psbtOf(plan))
const one = (input: Partial<FixtureInput> = {}): FixturePsbt => ({
  inputs: [{ kind: 'p2wpkh', path: [0, 5], amountSat: 60_000n, ...input }],
  outputs: [{ to: PAYEE, amountSat: 59_000n }],
})

function failure(run: () => unknown): string {
  try {
    run()
    return 'accepted'
  } catch (error) {
    expect(codeOf(error)).equal('PAYLOAD_UNDECODABLE')
    return String(error)
  }
}
const refused = (plan: FixturePsbt, why?: RegExp) => expect(failure(() => decoded(plan))).match(why ?? /^InvalidArgument/)

describe('btc.psbt', () => {
  it('btc.psbt: inputs, outputs, change and fee are shown, in both versions', () => {
    for (const version of [0, 2] as const) {
      const psbt = decoded({ version })
      expect(psbt).deep.include({ version, feeSat: 1000n, feeMax: 1000n, sentSat: 80_000n, chainId: undefined, call: 'none' })
      expect(psbt.amounts).deep.equal([{ asset: 'sat', amount: 80_000n }])
      expect(psbt.destinations?.map((d) => d.text)).deep.equal([PAYEE])
      expect(psbt.changePaths).deep.equal([[1, 0]])
      expect(psbt.digests.map((d) => d.path)).deep.equal([
        [0, 5],
        [0, 6],
      ])
      const { digests, inputs } = psbt
      const back = describeScript(scriptsOf('p2wpkh', [1, 0]).script, 'mainnet')
      expect(psbt.summary.map(({ label, value }) => `${label}: ${value}`)).deep.equal([
        `Type: Bitcoin transaction (PSBT version ${version})`,
        'Network of addresses: mainnet',
        'Amount sent: 0.0008 BTC (80000 sat)',
        'Fee: 0.00001 BTC (1000 sat)',
        `Input 0: 0.0006 BTC (60000 sat) of m/0/5, P2WPKH, from ${inputs[0]?.txid}:1`,
        `Input 1: 0.0005 BTC (50000 sat) of m/0/6, P2PKH, from ${inputs[1]?.txid}:1`,
        `Output 0: 0.0008 BTC (80000 sat) to ${PAYEE}`,
        `Output 1: change, back to m/1/0: 0.00029 BTC (29000 sat) to ${back}`,
        'Lock time: none',
        ...digests.map(({ digest }, i) => `Digest ${i}: 0x${toHex(digest)}`),
      ])
    }
    expect(decoded({ version: 0 }).digests).deep.equal(decoded({ version: 2 }).digests)
    const regtest = decodePayload('btc.psbt', psbtOf(), { ...CONTEXT, bitcoinNetwork: 'regtest' })
    expect(regtest.destinations?.[0]).deep.equal({
      id: 'script:0014751e76e8199196d454941c45d1b3a323f1433bd6',
      text: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080',
    })
    expect(regtest.digests).deep.equal(decoded({}).digests)
  })

  for (const kind of KINDS)
    it(`btc.psbt: ${kind} has the digest of its specification, and an input that verifies`, () => {
      const inputs = [1, 2].map((i): FixtureInput => ({ kind, path: [0, i], amountSat: 100_000n * BigInt(i) }))
      const plan = { inputs, outputs: [{ to: PAYEE, amountSat: 290_000n }], lockTime: 500 }
      const psbt = psbtOf(plan)
      const { digests, inputs: read, ...rest } = decode(psbt)
      for (const [index, { digest, path }] of digests.entries()) {
        expect(path).deep.equal([0, index + 1])
        const { spending, amountSat } = read[index] as (typeof read)[number]
        expect(digest).deep.equal(
          naiveDigest(txOf(plan), { index, amountSat, isSegwit: spending.isSegwit, scriptCode: spending.scriptCode }),
        )
      }
      const signed = assemblePsbt(
        psbt,
        { digests, inputs: read, ...rest },
        digests.map(({ digest, path }) => signAt(path ?? [], digest)),
      )
      const other = Psbt.fromBuffer(signed.psbt)
      expect(
        other.validateSignaturesOfAllInputs((publicKey, digest, signature) =>
          secp256k1.verify(signature, digest, publicKey, { prehash: false }),
        ),
      ).equal(true)
      expect(signed.transaction !== undefined).equal(ALONE.includes(kind))
      if (signed.transaction === undefined) return
      other.finalizeAllInputs()
      expect(toHex(signed.transaction)).equal(other.extractTransaction().toHex())
    })

  it('btc.psbt: the digests of BIP143 itself', () => {
    const vectors = [
      {
        tx: '0100000002fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f0000000000eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac11000000',
        ...{
          index: 1,
          code: '76a9141d0f172a0ecb48aee1be1f2687d2963ae33f71a188ac',
          amountSat: 600_000_000n,
          digest: 'c37af31116d1b27caf68aae9e3ac82f1477929014d5b917657d0eb49478cb670',
        },
      },
      {
        tx: '0100000001db6b1b20aa0fd7b23880be2ecbd4a98130974cf4748fb66092ac4d3ceb1a54770100000000feffffff02b8b4eb0b000000001976a914a457b684d7f0d539a46a45bbc043f35b59d0d96388ac0008af2f000000001976a914fd270b1ee6abcaea97fea7ad0402e8bd8ad6d77c88ac92040000',
        ...{ index: 0, code: '76a91479091972186c449eb1ded22b78e40d009bdf008988ac', amountSat: 1_000_000_000n },
        digest: '64f3b0f4dd2bb3aa1ce8566d220cc74dda9df97d8490cc81d89d735c92e59fb6',
      },
    ]
    for (const { tx, index, code, amountSat, digest } of vectors) {
      const raw = fromHex(tx)
      const library = Transaction.fromRaw(raw, { allowUnknownInputs: true, allowUnknownOutputs: true })
      const input = { index, amountSat, spending: { isSegwit: true, scriptCode: fromHex(code) } }
      expect(toHex(psbtDigest(raw, input, library))).equal(digest)
      const wrong = { preimageWitnessV0: () => new Uint8Array(32) }
      expect(failure(() => psbtDigest(raw, input, wrong))).match(/two libraries compute different digests/)
    }
  })

  it('btc.psbt: an input of somebody else, or of a key that is not derived, is refused', () => {
    refused(one({ claims: [] }), /input 0 is not spent by this key/)
    refused(one({ claims: [{ path: [0, 5], fingerprint: new Uint8Array(4) }] }), /not spent by this key/)
    refused(one({ claims: [{ path: [0, 6], publicKey: publicKeyAt([0, 5]) }] }), /claims another key at m\/0\/6/)
    refused(one({ claims: [{ path: [0, 6] }] }), /not spent by this key/)
    refused(one({ claims: [{ path: [0, 5] }, { path: [0, 6] }] }), /names this key twice/)
    refused(one({ claims: [{ path: [2 ** 31], publicKey: publicKeyAt([0, 5]) }] }))
    refused(one({ claims: [{ path: [1, 2, 3, 4, 5, 6, 7, 8, 9], publicKey: publicKeyAt([0, 5]) }] }))
    const nine = [1, 2, 3, 4, 5, 6, 7, 8, 9]
    const ninth = deriveChild(deriveChild(ROOT, nine.slice(0, 8)), [9]).publicKey
    refused(one({ claims: [{ path: nine, publicKey: ninth }] }), /at most 8 levels/)
    const other = { key: { ...ROOT, chainCode: new Uint8Array(32) } }
    expect(failure(() => decodePayload('btc.psbt', psbtOf(), other))).match(/claims another key/)
    expect(failure(() => decodePayload('btc.psbt', psbtOf()))).match(/only with the key/)
  })

  it('btc.psbt: change is what derives from the key, not what says so', () => {
    const outputs = (more: object, kind?: 'p2pkh' | 'p2sh-p2wpkh' | 'p2wsh-ms') => [
      { to: PAYEE, amountSat: 1n },
      { to: [1, 0], amountSat: 2n, ...more, ...(kind === undefined ? {} : { kind }) },
    ]
    const sent = (more: object, kind?: 'p2pkh' | 'p2sh-p2wpkh' | 'p2wsh-ms') => decoded({ outputs: outputs(more, kind) }).sentSat
    expect(sent({})).equal(1n)
    expect(sent({}, 'p2pkh')).equal(1n)
    expect(sent({}, 'p2sh-p2wpkh')).equal(1n)
    // Others have a say over it.
    expect(sent({}, 'p2wsh-ms')).equal(3n)
    expect(sent({ claims: [] })).equal(3n)
    expect(sent({ claims: [{ path: [1, 1] }] })).equal(3n)
    expect(sent({ claims: [{ path: [1, 0], fingerprint: new Uint8Array(4) }] })).equal(3n)
    refused({ outputs: outputs({ claims: [{ path: [1, 1], publicKey: publicKeyAt([1, 0]) }] }) }, /output 1 claims another key/)
    refused({ outputs: outputs({ claims: [{ path: [1, 0] }, { path: [1, 1] }] }) }, /output 1 names this key twice/)
  })

  it('btc.psbt: without the whole previous transaction an amount could be a lie', () => {
    expect(decoded(one({ previous: null })).feeSat).equal(1000n)
    const legacy = scriptsOf('p2pkh', [0, 5]).script
    refused(one({ kind: 'p2pkh', previous: null, utxo: { script: legacy, amountSat: 60_000n } }))
    const two = (previous?: null): FixturePsbt => ({
      inputs: [1, 2].map((i) => ({ kind: 'p2wpkh', path: [0, i], amountSat: 60_000n, ...(previous === undefined ? {} : { previous }) })),
      outputs: [{ to: PAYEE, amountSat: 1n }],
    })
    expect(decoded(two()).inputs.length).equal(2)
    refused(two(null), /input 0: its whole previous transaction is needed/)
    refused(one({ kind: 'p2pkh', previous: previousOf(legacy, 70_000n, 0) }))
    refused(one({ previous: previousOf(scriptsOf('p2wpkh', [0, 5]).script, 70_000n, 0), utxo: null }))
    refused(one({ utxo: { script: scriptsOf('p2wpkh', [0, 5]).script, amountSat: 70_000n } }))
    refused(one({ utxo: { script: legacy, amountSat: 60_000n } }))
    refused(one({ kind: 'p2pkh', index: 2 }))
    refused(one({ kind: 'p2pkh', previous: null }))
  })

  it('btc.psbt: scripts are those whose hashes are paid to', () => {
    for (const kind of ['p2sh-p2wpkh', 'p2sh-ms', 'p2sh-p2wsh'] as const)
      refused(one({ kind, redeemScript: scriptsOf('p2wpkh', [0, 6]).script }))
    for (const kind of ['p2wsh-ms', 'p2wsh-one', 'p2sh-p2wsh'] as const)
      refused(one({ kind, witnessScript: scriptsOf('p2wsh-ms', [0, 6]).witnessScript as Uint8Array }))
  })

  it('btc.psbt: only signatures of everything, and none that is there already', () => {
    const sighash = (type: number): Field => [3, NO_KEY, little(type, 4)]
    for (const type of [0, 2, 3, 0x81, 0x82, 0x83, 0x101]) refused(one({ fields: [sighash(type)] }))
    expect(decoded(one({ fields: [sighash(1)] })).digests.length).equal(1)
    const signature = fromHex('30060201010201010101'.slice(0, 18))
    refused(one({ fields: [[2, publicKeyAt([0, 5]), signature]] }), /signed already/)
    const ofOther: Field = [2, publicKeyAt([9]), signature]
    expect(decoded(one({ kind: 'p2wsh-ms', fields: [ofOther] })).digests.length).equal(1)
    refused(one({ kind: 'p2pkh', fields: [[7, NO_KEY, fromHex('51')]] }), /signed already/)
    refused(one({ fields: [[8, NO_KEY, fromHex('010151')]] }), /signed already/)
  })

  it('btc.psbt: amounts are exact and there is no more money than there is', () => {
    const most = 21_000_000n * 100_000_000n
    const pay = (amountSat: bigint, ...paid: readonly bigint[]): FixturePsbt => ({
      inputs: [{ kind: 'p2wpkh', path: [], amountSat }],
      outputs: paid.map((sat) => ({ to: PAYEE, amountSat: sat })),
    })
    expect(decoded(pay(most, most)).feeSat).equal(0n)
    expect(decoded(pay(most, most - 1n)).feeSat).equal(1n)
    refused(pay(most, most, 1n))
    const halves: FixturePsbt = {
      inputs: [0, 1].map((i) => ({ kind: 'p2wpkh', path: [], amountSat: most / 2n + 1n, seed: i })),
      outputs: [{ to: PAYEE, amountSat: 1n }],
    }
    refused(halves, /more money than there is/)
    refused(pay(5n, 6n), /it pays more than it spends/)
    refused(pay(most + 1n, 1n), /more money than there is/)
    refused(pay(most, (1n << 64n) - 1n))
  })

  it('btc.psbt: what is spent twice, unknown or too much is refused', () => {
    const many = (n: number): FixturePsbt => ({
      inputs: Array.from({ length: n }, (_, i) => ({ kind: 'p2wpkh', path: [0, i], amountSat: 10n })),
      outputs: [{ to: PAYEE, amountSat: 1n }],
    })
    expect(decoded(many(PSBT_INPUTS_MAX)).digests.length).equal(PSBT_INPUTS_MAX)
    refused(many(PSBT_INPUTS_MAX + 1), /1 to 32 inputs/)
    refused({ outputs: Array.from({ length: PSBT_OUTPUTS_MAX + 1 }, () => ({ to: PAYEE, amountSat: 1n })) }, /1 to 256 outputs/)
    refused({ inputs: [] })
    refused({ outputs: [] })
    const [input] = many(1).inputs ?? []
    const again = { ...(input as FixtureInput), seed: 0 }
    // The second library notices it in version 0, and does not know version 2.
    refused({ inputs: [again, again], outputs: [{ to: PAYEE, amountSat: 1n }] }, /not a valid btc.psbt/)
    refused({ version: 2, inputs: [again, again], outputs: [{ to: PAYEE, amountSat: 1n }] }, /spent twice/)
    refused(one({ fields: [[0x77, Uint8Array.of(1), Uint8Array.of(1)]] }), /not a valid/)
    refused(one({ fields: [[0xfc, fromHex('0361626300'), Uint8Array.of(1)]] }), /not a valid/)
    refused(one({ claims: [{ path: [0, 5] }, { path: [0, 5] }] }))
    expect(failure(() => decode(new Uint8Array(PSBT_BYTES_MAX + 1)))).match(/longer than/)
    for (const bytes of [
      new Uint8Array(0),
      fromHex('70736274ff'),
      psbtOf().subarray(0, -1),
      concat(psbtOf(), Uint8Array.of(0)),
      concat(psbtOf({ version: 2 }), Uint8Array.of(0)),
    ])
      expect(failure(() => decode(bytes))).match(/^InvalidArgument/)
    const deep = Array.from({ length: PSBT_STEPS_MAX / 8 + 1 }, (_, i) => [i, 1, 2, 3, 4, 5, 6, 7])
    refused({ outputs: deep.map((to) => ({ to, amountSat: 1n })) }, /more than 128 steps/)
  })

  it('btc.psbt: signatures are one for each input, low-s and in range', () => {
    const psbt = psbtOf()
    const read = decode(psbt)
    const signatures = read.digests.map(({ digest, path }) => signAt(path ?? [], digest))
    const assembled = (list: readonly Uint8Array[]) => {
      try {
        return assemblePsbt(psbt, read, list).transaction !== undefined
      } catch (error) {
        return codeOf(error)
      }
    }
    const [first, second] = signatures as [Uint8Array, Uint8Array]
    const { Fn } = secp256k1.Point
    const high = concat(first.subarray(0, 32), Fn.toBytes(Fn.neg(Fn.fromBytes(first.subarray(32)))))
    expect(assembled(signatures)).equal(true)
    for (const list of [[first], [first, second, first], [first, high], [first, new Uint8Array(64)], [first, second.subarray(1)]])
      expect(assembled(list)).equal('BAD_SIGNATURE')
  })

  it('btc.psbt: it is asked for at m, because it names its own paths', () => {
    const read = decoded({})
    expect(digestsAt(read, []).map(({ path }) => formatPath(path))).deep.equal(['m/0/5', 'm/0/6'])
    expect(() => digestsAt(read, [0])).throw(/ask for it at m/)
    const digest = new Uint8Array(32)
    expect(digestsAt(decodePayload('raw', digest), [3])).deep.equal([{ digest, path: [3] }])
  })
})
