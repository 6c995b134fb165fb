import type { LookupAddress } from 'node:dns'
import { codeOf } from '@conclave/core'
import { expect } from 'chai'
import { isNetwork, Reachable } from './reachable.ts'

const INTERNAL = [
  ...['127.0.0.1', '0.0.0.0', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254', '100.64.0.1', '192.0.2.1'],
  ...['198.18.0.1', '224.0.0.1', '255.255.255.255', '::', '::1', '::ffff:127.0.0.1', '::ffff:8.8.8.8', 'fe80::1', 'fd00::1', 'ff02::1'],
  ...['64:ff9b::7f00:1', '2001:db8::1', '2002:7f00:1::1', '100::1'],
]
const GLOBAL = ['8.8.8.8', '172.32.0.1', '172.15.255.255', '100.128.0.1', '1.1.1.1', '2606:4700::1111', '2a00:1450:4001::1']

describe('reachable addresses', () => {
  it('are those of the internet, and of networks that are allowed', () => {
    const usual = new Reachable([])
    for (const address of INTERNAL) expect(usual.allows(address), address).equal(false)
    for (const address of GLOBAL) expect(usual.allows(address), address).equal(true)
    const opened = new Reachable(['10.1.0.0/16', 'fd00::/8'])
    for (const address of ['10.1.255.1', 'fd12::1', '8.8.8.8']) expect(opened.allows(address), address).equal(true)
    for (const address of ['10.2.0.1', '127.0.0.1', '::1']) expect(opened.allows(address), address).equal(false)
  })

  it('a name has them when all of its addresses are allowed, and has none otherwise', async () => {
    const ask = (reachable: Reachable, all: boolean) =>
      new Promise((resolve) => {
        reachable.lookup('localhost', { all }, (error: Error | null, found: string | LookupAddress[], family?: number) =>
          resolve(error === null ? [found, family] : codeOf(error)),
        )
      })
    for (const all of [true, false]) expect(await ask(new Reachable([]), all)).equal('WEBHOOK_ADDRESS')
    const opened = new Reachable(['127.0.0.0/8', '::1/128'])
    expect(((await ask(opened, true)) as [LookupAddress[]])[0].every(({ address }) => opened.allows(address))).equal(true)
    expect(((await ask(opened, false)) as [string])[0]).match(/^(127\.0\.0\.1|::1)$/)
  })

  it('a network is an address and the bits of it', () => {
    for (const text of ['10.0.0.0/8', '::1/128', '0.0.0.0/0']) expect(isNetwork(text), text).equal(true)
    for (const text of ['10.0.0.0', '10.0.0.0/33', '::1/129', 'x/8', '10.0.0.0/', '/8', '10.0.0.0/-1'])
      expect(isNetwork(text), text).equal(false)
  })
})
