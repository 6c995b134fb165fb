import type { LookupAddress } from 'node:dns'
import { lookup } from 'node:dns/promises'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { ConclaveError } from '@conclave/core'

/** WEBHOOK_ADDRESS: the receiver is at an address that the settings do not allow. */
export class AddressRefused extends ConclaveError {}

/** Not addresses of the internet: this host, networks of one's own, links, carriers, documentation, tests, groups, and what is reserved. */
const INTERNAL = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24'],
  ...['192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
]
/** All that is unicast and global is in this; within it are ways to IPv4 addresses, and networks for tests. */
const GLOBAL_V6 = '2000::/3'
const INTERNAL_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4')

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits = ''] = network.split('/')
    list.addSubnet(address, Number(bits), familyOf(address))
  }
  return list
}

const internal = listOf(INTERNAL)
const internalV6 = listOf(INTERNAL_V6)
const globalV6 = listOf([GLOBAL_V6])

function isInternal(address: string): boolean {
  if (familyOf(address) === 'ipv4') return internal.check(address, 'ipv4')
  // Also an IPv4 address that is written as one of IPv6.
  return !globalV6.check(address, 'ipv6') || internalV6.check(address, 'ipv6')
}

/** A network in a settings file, such as `10.1.0.0/16`. */
export function isNetwork(text: string): boolean {
  const [address = '', bits = ''] = text.split('/')
  const family = isIP(address)
  return family !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32)
}

/** Says to which addresses a webhook may connect. */
export class Reachable {
  readonly #allowed: BlockList

  /** @param allowed - networks that are reached although they are not of the internet. */
  constructor(allowed: readonly string[]) {
    this.#allowed = listOf(allowed)
  }

  allows(address: string): boolean {
    return this.#allowed.check(address, familyOf(address)) || !isInternal(address)
  }

  /** @throws {AddressRefused} WEBHOOK_ADDRESS for an address in the place of a name. Names are looked at when they are resolved. */
  check(host: string): void {
    const address = host.replace(/^\[|\]$/g, '')
    if (isIP(address) !== 0 && !this.allows(address)) throw refusal()
  }

  /** As `dns.lookup`, and what it answers is what is connected to: a name of which any address is refused has none. */
  readonly lookup: LookupFunction = (host, options, callback) => {
    lookup(host, { ...options, all: true }).then(
      (found: readonly LookupAddress[]) => {
        const [first] = found
        if (first === undefined || found.some(({ address }) => !this.allows(address))) return callback(refusal(), '')
        if (options.all === true) callback(null, [...found])
        else callback(null, first.address, first.family)
      },
      (error: NodeJS.ErrnoException) => callback(error, ''),
    )
  }
}

function refusal(): AddressRefused {
  return new AddressRefused('WEBHOOK_ADDRESS', 'the receiver is at an address that is not of the internet: webhooks.networks may allow it')
}
