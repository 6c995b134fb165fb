import { codeOf, fromHex, toHex } from '@conclave/core'
import { expect } from 'chai'
import { Interface } from 'ethers/abi'
import fc from 'fast-check'
import { type ContractAbi, parseAbi } from './contract-abi.ts'
import { decodePayload } from './decoded-payload.ts'
import { confirmArguments, type Value } from './evm-arguments.ts'
import { CALL_VALUES_MAX } from './evm-call.ts'
import { SUPPLIER as TOKEN, unsigned } from './naive-rlp.fixture.ts'

const PAYEE = '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC'
const OTHER = '0x90F79bf6EB2c4f870365E785982E1f101E93b906'
const word = (hex: string) => hex.toLowerCase().replace('0x', '').padStart(64, '0')
const payee = word(PAYEE)
const call = (hex: string, contracts: readonly ContractAbi[] = [], chainId = 31337n) =>
  decodePayload('evm.tx', unsigned({ data: fromHex(hex), chainId }), { contracts })
const shown = (tx: ReturnType<typeof call>) => tx.summary.map(({ label, value }) => `${label}: ${value}`)
const codeFor = (run: () => unknown) => {
  try {
    run()
    return 'accepted'
  } catch (error) {
    return codeOf(error)
  }
}

const tuple = {
  type: 'tuple[]',
  name: 'orders',
  components: [
    { type: 'uint256', name: 'amount' },
    { type: 'bytes', name: '' },
  ],
}
const VAULT = [
  { type: 'function', name: 'setNote', stateMutability: 'nonpayable', outputs: [], inputs: [{ type: 'string', name: 'note' }] },
  {
    type: 'function',
    name: 'place',
    outputs: [],
    inputs: [{ type: 'address', name: 'to' }, tuple, { type: 'int8', name: '' }, { type: 'bool', name: 'now' }],
  },
  { type: 'function', name: 'stop', inputs: [], outputs: [{ type: 'uint256', name: '' }] },
  { type: 'function', name: 'many', inputs: [{ type: 'uint256[]', name: 'values' }] },
  { type: 'event', name: 'Placed', inputs: [] },
]
const library = new Interface(VAULT)
const vault = parseAbi(JSON.stringify(VAULT))
const encoded = (name: string, values: readonly unknown[]) => library.encodeFunctionData(name, values).slice(2)

describe('evm.tx: calls', () => {
  it('evm.tx: an ERC-20 transfer names token, recipient and amount', () => {
    const tx = call(`a9059cbb${payee}${word('0x2a')}`)
    expect(tx).deep.include({ call: 'known', method: 'transfer(address,uint256)' })
    expect(tx.destinations?.map((d) => d.id)).deep.equal([TOKEN, PAYEE])
    expect(tx.amounts).deep.equal([
      { asset: 'wei', amount: 10n ** 18n },
      { asset: TOKEN, amount: 42n },
    ])
    expect(shown(tx).slice(5, 9)).deep.equal([
      'Method: transfer(address,uint256)',
      `Token contract: ${TOKEN}`,
      `Token recipient: ${PAYEE}`,
      'Token amount: 42 base units',
    ])
  })

  it('evm.tx: an ERC-20 approval names the spender, and says when it is unlimited', () => {
    const tx = call(`095ea7b3${payee}${'ff'.repeat(32)}`)
    expect(tx).deep.include({ call: 'known', method: 'approve(address,uint256)' })
    expect(tx.amounts[1]).deep.equal({ asset: TOKEN, amount: (1n << 256n) - 1n })
    expect(shown(tx)).include(`Token spender: ${PAYEE}`)
    expect(shown(tx).find((line) => line.startsWith('Token allowance'))).match(/^Token allowance: unlimited \(1157/)
  })

  it('evm.tx: an ERC-20 transferFrom names owner and recipient', () => {
    const tx = call(`23b872dd${word(OTHER)}${payee}${word('0x01')}`)
    expect(tx.destinations?.map((d) => d.id)).deep.equal([TOKEN, PAYEE])
    expect(shown(tx)).include.members([`Token owner: ${OTHER}`, `Token recipient: ${PAYEE}`])
  })

  it('evm.tx: arguments that are not exactly encoded make a call blind', () => {
    const good = `a9059cbb${payee}${word('0x2a')}`
    const dirty = `a9059cbb${'01'.padStart(2, '0')}${payee.slice(2)}${word('0x2a')}`
    for (const hex of ['a9059cbb', good.slice(0, -2), `${good}00`, `${good}${word('0')}`, dirty, 'a9059c', 'deadbeef', '00']) {
      const tx = call(hex)
      expect(tx, hex).deep.include({ call: 'blind', method: undefined })
      expect(tx.destinations?.map((d) => d.id)).deep.equal([TOKEN])
      expect(tx.amounts.length).equal(1)
      expect(shown(tx)).include('Warning: the call is not understood: it can do whatever the contract lets this key do')
    }
  })

  it('evm.tx: a method of the operator’s ABI is shown with every argument', () => {
    const hex = encoded('place', [
      PAYEE,
      [
        { amount: 5n, '': '0x1234' },
        { amount: 6n, '': '0x' },
      ].map((o) => [o.amount, o['']]),
      -5,
      true,
    ])
    expect(call(hex)).include({ call: 'blind' })
    const tx = call(hex, [vault])
    expect(tx).include({ call: 'known', method: 'place(address,(uint256,bytes)[],int8,bool)' })
    expect(shown(tx).filter((line) => line.startsWith('Argument'))).deep.equal([
      `Argument to (address): ${PAYEE}`,
      'Argument orders[0].amount (uint256): 5',
      'Argument orders[0].1 (bytes): 0x1234',
      'Argument orders[1].amount (uint256): 6',
      'Argument orders[1].1 (bytes): 0x',
      'Argument 2 (int8): -5',
      'Argument now (bool): true',
    ])
    expect(call(encoded('stop', []), [vault])).include({ call: 'known', method: 'stop()' })
    expect(call(`${encoded('stop', [])}00`, [vault])).include({ call: 'blind' })
  })

  it('evm.tx: text in an argument cannot forge lines or hide characters', () => {
    const tx = call(encoded('setNote', ['a"\nTo: \u202e\u00e9']), [vault])
    expect(shown(tx)).include('Argument note (string): "a\\"\\nTo: \\u202e\\u00e9"')
    for (const { label, value } of tx.summary) expect(label + value).match(/^[\x20-\x7e]*$/)
  })

  it('evm.tx: more arguments than a person reads make a call blind', () => {
    const values = (n: number) => call(encoded('many', [Array<bigint>(n).fill(1n)]), [vault])
    expect(values(CALL_VALUES_MAX)).include({ call: 'known' })
    expect(values(CALL_VALUES_MAX + 1)).include({ call: 'blind' })
    expect(shown(values(0))).include('Argument values (uint256[]): empty')
  })

  it('evm.tx: an ABI counts where it was said to, and the closest one first', () => {
    const hex = encoded('stop', [])
    const at = (place: object) => parseAbi(JSON.stringify(VAULT), place)
    for (const place of [{ address: TOKEN }, { chainId: 31337n }, { chainId: 31337n, address: TOKEN.toLowerCase() }, {}])
      expect(call(hex, [at(place)])).include({ call: 'known' })
    for (const place of [{ address: PAYEE }, { chainId: 1n }, { chainId: 1n, address: TOKEN }])
      expect(call(hex, [at(place)])).include({ call: 'blind' })
    const named = (name: string, place: object) => parseAbi(JSON.stringify([{ ...VAULT[0], inputs: [{ type: 'string', name }] }]), place)
    const places = [{}, { chainId: 31337n }, { address: TOKEN }, { chainId: 31337n, address: TOKEN }]
    for (let n = 1; n <= places.length; n++) {
      const contracts = places.slice(0, n).map((place, i) => named(`n${i}`, place))
      expect(shown(call(encoded('setNote', ['x']), contracts)).join()).include(`Argument n${n - 1} (string)`)
    }
  })

  it('evm.tx: arguments that two libraries do not read alike are refused', () => {
    const method = [...vault.methods.values()][1]
    if (method === undefined) throw new Error('no method')
    // A struct of nothing is one to the first library only.
    const empty = parseAbi(JSON.stringify([{ type: 'function', name: 'f', inputs: [{ type: 'tuple', name: 'x', components: [] }] }]))
    expect(codeFor(() => call([...empty.methods.keys()].join().slice(2), [empty]))).equal('PAYLOAD_UNDECODABLE')
    const args = fromHex(encoded('place', [PAYEE, [[5n, '0x1234']], -5, true]).slice(8))
    const values = [PAYEE, [[5n, '0x1234']], -5n, true]
    const confirmed = (changed: readonly Value[]) => codeFor(() => confirmArguments(method, args, changed))
    expect(confirmed(values)).equal('accepted')
    for (const [i, value] of [OTHER, [[6n, '0x1234']], -4n, false].entries())
      expect(confirmed(values.with(i, value))).equal('PAYLOAD_UNDECODABLE')
    expect(confirmed(values.with(1, [[5n, '0x1235']]))).equal('PAYLOAD_UNDECODABLE')
    expect(confirmed(values.with(1, []))).equal('PAYLOAD_UNDECODABLE')
    expect(confirmed(values.slice(0, 3))).equal('PAYLOAD_UNDECODABLE')
  })

  it('evm.tx: random calls are shown as they were encoded', () => {
    const orders = fc.array(
      fc.tuple(
        fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
        fc.uint8Array({ maxLength: 40 }).map((b) => `0x${toHex(b)}`),
      ),
      { maxLength: 4 },
    )
    fc.assert(
      fc.property(orders, fc.integer({ min: -128, max: 127 }), fc.boolean(), (list, small, now) => {
        const tx = call(encoded('place', [PAYEE, list, small, now]), [vault])
        const said = tx.summary.filter((l) => l.label.startsWith('Argument')).map((l) => l.value)
        expect(said).deep.equal([PAYEE, ...(list.length === 0 ? ['empty'] : list.flat().map(String)), `${small}`, `${now}`])
      }),
    )
  })

  it('abi: what is not an ABI is refused by code', () => {
    const artifact = parseAbi(JSON.stringify({ abi: VAULT, bytecode: '0x' }))
    expect([...artifact.methods.keys()]).deep.equal([...vault.methods.keys()])
    const bad: readonly unknown[] = [
      ...['', 'x', {}, [], [{ type: 'event' }], [{}], [{ type: 'function' }], [{ type: 'function', name: 'a b', inputs: [] }]],
      [{ type: 'function', name: 'f', inputs: [{ type: 'uint257', name: 'x' }] }],
      [{ type: 'function', name: 'f', inputs: [{ type: 'uint8', name: 'a\nTo' }] }],
      [
        { type: 'function', name: 'f', inputs: [] },
        { type: 'function', name: 'f', inputs: [] },
      ],
    ]
    for (const abi of bad)
      expect(
        codeFor(() => parseAbi(JSON.stringify(abi))),
        JSON.stringify(abi),
      ).equal('BAD_ABI')
    expect(codeFor(() => parseAbi('['))).equal('BAD_ABI')
    expect(codeFor(() => parseAbi(JSON.stringify(VAULT), { address: '0x12' }))).equal('BAD_ADDRESS')
  })
})
