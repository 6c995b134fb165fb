import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConclaveError, codeOf } from '@conclave/core'
import type { Erasure } from '@conclave/core/erasure'
import { silentLogger } from '@conclave/transport'
import { expect } from 'chai'
import { type AdminKey, type AdminPair, type AdminStatus, adminRoutes } from './admin.ts'
import { askAdmin } from './admin-client.ts'
import { type AdminServer, BODY_BYTES_MAX, openAdminServer, SOCKET_PATH_BYTES_MAX } from './admin-server.ts'
import type { Checkup } from './checkup.ts'
import { refusal } from './refusal.fixture.ts'

const PAIR: AdminPair = { index: 2, peer: 'oslo', isLinkUp: true, state: 'missing', pairEpoch: 0, stock: 0, ban: null }

/** What comes back for raw bytes, until the other side closes. */
function raw(socket: string, bytes: string | Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    let heard = ''
    const link = connect(socket, () => link.write(bytes))
    link.on('data', (chunk) => {
      heard += chunk.toString('latin1')
    })
    // A reset after the answer is as good as an end.
    link.on('error', () => undefined)
    link.on('close', () => resolve(heard))
  })
}

const http = (method: string, path: string, body = '', headers = ''): string =>
  `${method} ${path} HTTP/1.1\r\nhost: node\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

const statusAndCode = (answer: string): readonly [number, string] => {
  const body = answer.slice(answer.indexOf('\r\n\r\n') + 4)
  return [Number(answer.split(' ')[1]), (JSON.parse(body) as { code?: string }).code ?? '']
}

describe('admin socket', () => {
  const mask = process.umask()
  let dir: string
  let path: string
  let server: AdminServer
  let resets: (readonly [string, string])[]
  let failure: Error | undefined

  const routes = () =>
    adminRoutes({
      status: async () => ({ name: 'zurich' }) as AdminStatus,
      checkUp: async () => ({ pid: 1 }) as Checkup,
      resetPair: async (peer, reason) => {
        if (failure !== undefined) throw failure
        resets.push([peer, reason])
        return PAIR
      },
      unlockHsm: async () => Promise.reject(new Error('not asked')),
      audit: {
        witnessed: async () => [],
        forget: async (name, reason) => {
          resets.push([name, reason])
          return []
        },
      },
      eraseOlder: async (keyId, reason) => {
        resets.push([keyId, reason])
        return { keyId } as AdminKey
      },
      key: {
        change: async (keyId, phase, reason) => {
          resets.push([`${keyId} ${phase}`, reason])
          return { keyId, phase, since: null, reason }
        },
        destroy: async (keyId, reason, without) => {
          resets.push([`${keyId} destroyed`, `${reason} ${without.join()}`])
          return { keyId } as Erasure
        },
        erasures: () => [],
      },
      hsm: {
        status: async () => ({ records: 0, hsms: [] }),
        rewrap: async (without) => {
          resets.push(['rewrap', without.join()])
          return { records: 2, rewrapped: 1 }
        },
        rotateKek: async (without) => {
          resets.push(['rotate', without.join()])
          return { records: 2, rewrapped: 2, generation: 2, hsms: ['primary'], without, resumed: false, destroyed: [] }
        },
      },
    })
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'conclave-admin-'))
    path = join(dir, 'admin.sock')
    resets = []
    failure = undefined
    server = await openAdminServer(path, silentLogger)
    server.serve(routes())
  })
  afterEach(async () => {
    await server.close()
    await rm(dir, { recursive: true, force: true })
  })

  it('admin socket: only its owner can open it, and the process keeps its own file mode', async () => {
    expect((await stat(path)).mode & 0o777).to.equal(0o600)
    const other = await openAdminServer(join(dir, 'b.sock'), silentLogger)
    expect(process.umask()).to.equal(mask)
    await other.close()
  })

  it('admin socket: older epochs are erased for a reason, of a key that the path names', async () => {
    expect(await askAdmin(path, '/v1/keys/treasury-1:erase-older', { reason: 'n5 is gone for good' })).to.deep.equal({
      keyId: 'treasury-1',
    })
    expect(resets).to.deep.equal([['treasury-1', 'n5 is gone for good']])
    expect(await refusal(() => askAdmin(path, '/v1/keys/treasury-1:erase-older', {}))).to.equal('BAD_BODY')
    expect(resets).to.have.length(1)
  })

  it('admin socket: a status and a reset are answered, and a reason is one trimmed line', async () => {
    expect(await askAdmin(path, '/v1/status')).to.deep.equal({ name: 'zurich' })
    expect(await askAdmin(path, '/v1/pairs/oslo:reset', { reason: '  host rebuilt, Ida ' })).to.deep.equal(PAIR)
    expect(resets).to.deep.equal([['oslo', 'host rebuilt, Ida']])
  })

  const RESET = '/v1/pairs/oslo:reset'
  const hostile: readonly (readonly [string, string, number, string])[] = [
    ['an unknown path', http('GET', '/v1/keys'), 404, 'NOT_FOUND'],
    ['a path with a query', http('GET', '/v1/status?x=1'), 404, 'NOT_FOUND'],
    ['a path that climbs', http('GET', '/v1/../v1/status'), 404, 'NOT_FOUND'],
    ['a peer with a slash', http('POST', '/v1/pairs/a/b:reset', '{"reason":"x"}'), 404, 'NOT_FOUND'],
    ['another method', http('DELETE', RESET), 405, 'METHOD_NOT_ALLOWED'],
    ['a reset by GET', http('GET', RESET), 405, 'METHOD_NOT_ALLOWED'],
    ['a status by POST', http('POST', '/v1/status', '{}'), 405, 'METHOD_NOT_ALLOWED'],
    ['no body', http('POST', RESET), 400, 'BAD_BODY'],
    ['a body that is not JSON', http('POST', RESET, '{"reason":'), 400, 'BAD_BODY'],
    ['a body that is a list', http('POST', RESET, '[]'), 400, 'BAD_BODY'],
    ['null', http('POST', RESET, 'null'), 400, 'BAD_BODY'],
    ['no reason', http('POST', RESET, '{}'), 400, 'BAD_BODY'],
    ['an empty reason', http('POST', RESET, '{"reason":"  "}'), 400, 'BAD_BODY'],
    ['a reason that is a number', http('POST', RESET, '{"reason":7}'), 400, 'BAD_BODY'],
    ['a reason of two lines', http('POST', RESET, '{"reason":"a\\nb"}'), 400, 'BAD_BODY'],
    ['a reason that would steer a terminal', http('POST', RESET, '{"reason":"a\\u001b[2J"}'), 400, 'BAD_BODY'],
    ['a long reason', http('POST', RESET, JSON.stringify({ reason: 'x'.repeat(257) })), 400, 'BAD_BODY'],
    ['an unknown field', http('POST', RESET, '{"reason":"x","force":true}'), 400, 'BAD_BODY'],
    ['a body that is too large', http('POST', RESET, JSON.stringify({ reason: 'x'.repeat(BODY_BYTES_MAX) })), 413, 'BODY_TOO_LARGE'],
  ]
  for (const [what, bytes, status, code] of hostile) {
    it(`admin socket: ${what} is ${status} ${code}, and the node goes on`, async () => {
      expect(statusAndCode(await raw(path, bytes))).to.deep.equal([status, code])
      expect(resets).to.deep.equal([])
      expect(await askAdmin(path, '/v1/status')).to.deep.equal({ name: 'zurich' })
    })
  }

  it('admin socket: what is not HTTP, a header without end and bytes that are not text do no harm', async () => {
    const noise = [
      'nonsense\r\n\r\n',
      `GET /v1/status HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
      Uint8Array.from({ length: 4096 }, (_, i) => i * 7),
      `POST ${RESET} HTTP/1.1\r\nhost: node\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n`,
      `POST ${RESET} HTTP/1.1\r\nhost: node\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n{}`,
    ]
    for (const bytes of noise) expect((await raw(path, bytes)).split(' ')[1] ?? '400').to.match(/^4/)
    expect(
      statusAndCode(await raw(path, Buffer.concat([Buffer.from(http('POST', RESET, 'xx').slice(0, -2)), Buffer.of(0xff, 0xfe)]))),
    ).to.deep.equal([400, 'BAD_BODY'])
    expect(await askAdmin(path, '/v1/status')).to.deep.equal({ name: 'zurich' })
  })

  it('admin socket: an error of ours is told by its code, any other only as INTERNAL', async () => {
    failure = new ConclaveError('STORE_IO', 'the disk is full')
    const told = await askAdmin(path, RESET, { reason: 'x' }).catch((e: unknown) => e)
    expect(told).to.include({ code: 'STORE_IO', message: 'the disk is full' })
    failure = new Error('secret of a library')
    const hidden = await askAdmin(path, RESET, { reason: 'x' }).catch((e: unknown) => e)
    expect(hidden).to.include({ code: 'INTERNAL' })
    expect((hidden as Error).message).to.not.include('secret')
  })

  it('admin socket: two nodes with one path: the second is refused, and the first goes on', async () => {
    expect(await refusal(() => openAdminServer(path, silentLogger))).to.equal('ADMIN_SOCKET_IN_USE')
    expect(await askAdmin(path, '/v1/status')).to.deep.equal({ name: 'zurich' })
  })

  it('admin socket: what a killed process left is replaced, anything else in the way is not', async () => {
    await server.close()
    const leave = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
    spawnSync(process.execPath, ['-e', leave])
    expect((await stat(path)).isSocket()).to.equal(true)
    expect(await refusal(() => askAdmin(path, '/v1/status'))).to.equal('NODE_NOT_RUNNING')
    server = await openAdminServer(path, silentLogger)
    expect((await stat(path)).mode & 0o777).to.equal(0o600)
    server.serve(routes())
    expect(await askAdmin(path, '/v1/status')).to.deep.equal({ name: 'zurich' })

    const file = join(dir, 'file')
    await writeFile(file, 'precious')
    await symlink(path, join(dir, 'link'))
    for (const other of [file, dir, join(dir, 'link')])
      expect(await refusal(() => openAdminServer(other, silentLogger)), other).to.equal('ADMIN_SOCKET_PATH')
    expect((await stat(file)).size).to.equal(8)
  })

  it('admin socket: a path that is too long, or in no directory, is refused by a line that says so', async () => {
    const long = join(dir, 'x'.repeat(SOCKET_PATH_BYTES_MAX))
    const told = await openAdminServer(long, silentLogger).catch((e: unknown) => e)
    expect(codeOf(told)).to.equal('ADMIN_SOCKET_PATH')
    expect((told as Error).message).to.include('admin.socket')
    expect(await refusal(() => openAdminServer(join(dir, 'none', 'a.sock'), silentLogger))).to.equal('ADMIN_SOCKET_PATH')
    const longest = join(dir, 'y'.repeat(SOCKET_PATH_BYTES_MAX - Buffer.byteLength(dir) - 1))
    const other = await openAdminServer(longest, silentLogger)
    await other.close()
  })

  it('admin socket: a node that is still starting says so; one that has stopped leaves no socket', async () => {
    const starting = await openAdminServer(join(dir, 'b.sock'), silentLogger)
    expect(await refusal(() => askAdmin(join(dir, 'b.sock'), '/v1/status'))).to.equal('STARTING')
    await starting.close()
    await starting.close()
    expect(await refusal(() => stat(join(dir, 'b.sock')))).to.equal('INTERNAL')
    expect(await refusal(() => askAdmin(join(dir, 'b.sock'), '/v1/status'))).to.equal('NODE_NOT_RUNNING')
  })
})
