import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { ClusterLock } from '@conclave/core'
import { type Known, known, unknown } from '../finding.ts'
import { type Endpoint, endpointOf, type ListenFacts, type Reach } from '../network-check.ts'

const CONNECT_TIMEOUT_MS = 3_000
const LISTENING = '0A'

function ipv4Of(hex: string): string {
  return [...Buffer.from(hex, 'hex')].reverse().join('.')
}

/** Sixteen bytes in four words of the machine's order. */
function ipv6Of(hex: string): string {
  const words = hex.match(/.{8}/g) ?? []
  const bytes = Buffer.concat(words.map((w) => Buffer.from(w, 'hex').reverse()))
  if (bytes.every((b) => b === 0)) return '::'
  const mapped = bytes.subarray(0, 12).toString('hex') === '00000000000000000000ffff'
  if (mapped) return [...bytes.subarray(12)].join('.')
  return (bytes.toString('hex').match(/.{4}/g) ?? []).map((g) => g.replace(/^0+(?=.)/, '')).join(':')
}

/** Sockets that listen, in the words of /proc/net/tcp and tcp6 of a little-endian machine. */
export function listenersIn(text: string): readonly Endpoint[] {
  return text.split('\n').flatMap((line) => {
    const [, address = '', port = '', state] = /^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) \S+ ([0-9A-F]{2}) /.exec(line) ?? []
    if (state !== LISTENING) return []
    return [{ host: address.length === 8 ? ipv4Of(address) : ipv6Of(address), port: Number.parseInt(port, 16) }]
  })
}

/** Nothing is bound for it: the system lists who listens. */
export async function gatherListen(listen: readonly string[]): Promise<Known<ListenFacts>> {
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((f) => readFile(f, 'utf8').catch(() => '')))
  if (tables.every((t) => t === '')) return unknown('the system does not list who listens')
  const local = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map((i) => i.address))
  return known({ listen, local: new Set(local), taken: tables.flatMap(listenersIn) })
}

function accepts({ host, port }: Endpoint): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_TIMEOUT_MS })
    const end = (open: boolean) => {
      socket.destroy()
      resolve(open)
    }
    socket.once('connect', () => end(true))
    socket.once('timeout', () => end(false))
    socket.once('error', () => end(false))
  })
}

/** Connects to every peer of the lock, and hangs up. @param linked - peers that need no trying. */
export async function gatherReach(lock: ClusterLock, self: string, linked: ReadonlySet<string>): Promise<readonly Reach[]> {
  const peers = lock.nodes.filter((n) => n.name !== self && !linked.has(n.name))
  return Promise.all(
    peers.map(async ({ name, addresses }) => {
      const endpoints = addresses.flatMap((a) => endpointOf(a) ?? [])
      const open = await Promise.all(endpoints.map(accepts))
      const shown = endpoints.map((e) => `${e.host}:${e.port}`)
      return { peer: name, addresses: shown, open: shown.filter((_, i) => open[i] === true) }
    }),
  )
}
