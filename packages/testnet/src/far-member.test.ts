import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { expect } from 'chai'
import { FarMember } from './far-member.ts'
import { inodeOf } from './socket-owner.ts'

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 41 1 0 100 0 0 10 0
   1: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 42 1 0 20 4 30 10 -1
   2: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 43 1 0 20 4 30 10 -1
`

const itOnLinux = process.platform === 'linux' ? it : it.skip

describe('far links: the relay', () => {
  let server: Server
  let relay: FarMember | undefined
  /** Connections that the member accepted. */
  let accepted: Socket[]
  const asked: string[] = []

  beforeEach(async () => {
    accepted = []
    asked.length = 0
    server = createServer((socket) => {
      accepted.push(socket)
      socket.on('error', () => undefined)
      socket.pipe(socket)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterEach(async () => {
    await relay?.stop()
    for (const socket of accepted) socket.destroy()
    await once(server.close(), 'close')
  })

  async function dial(processes: ReadonlyMap<string, number>): Promise<Socket> {
    const links = { delayMs: (from: string, to: string) => asked.push(`${from}>${to}`) * 0 }
    const { port } = server.address() as AddressInfo
    relay = await FarMember.start({ name: 'oslo', port, links, processes: () => processes })
    const socket = connect(Number(relay.address.split('/').at(-1)), '127.0.0.1')
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    return socket
  }

  it('far links: an inode is found by both ends of its connection', () => {
    expect([inodeOf(TABLE, 50_000, 8080), inodeOf(TABLE, 8080, 50_000), inodeOf(TABLE, 50_001, 8080)]).to.deep.equal([
      '42',
      '43',
      undefined,
    ])
  })

  itOnLinux('far links: the relay knows who dials, and everything passes in order both ways, to the end', async () => {
    const socket = await dial(
      new Map([
        ['lisbon', process.ppid],
        ['zurich', process.pid],
      ]),
    )
    const sent = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7) & 255))
    socket.end(sent)
    const chunks: Buffer[] = []
    for await (const chunk of socket) chunks.push(chunk as Buffer)
    expect(Buffer.concat(chunks).equals(sent)).to.equal(true)
    expect(new Set(asked)).to.deep.equal(new Set(['zurich>oslo', 'oslo>zurich']))
  })

  itOnLinux('far links: whoever is no member is not let through', async () => {
    const socket = await dial(new Map([['lisbon', process.ppid]]))
    await once(socket.resume(), 'close')
    expect(accepted).to.have.length(0)
  })

  itOnLinux('far links: a connection that breaks at one end breaks at the other', async () => {
    const socket = await dial(new Map([['zurich', process.pid]]))
    socket.write('a')
    await once(socket, 'data')
    accepted[0]?.resetAndDestroy()
    await once(socket, 'close')
  })
})
