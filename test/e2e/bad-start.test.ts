import { once } from 'node:events'
import { appendFile, chmod, cp, mkdtemp, readdir, readFile, rm, unlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { conclave, signLock } from '@conclave/testnet'
import { expect } from 'chai'
import { type Rig, useSharedCluster } from '../rig/cluster.ts'
import { expectRefused, type Outcome, pooled, runConclave } from '../rig/command.ts'
import { expectHealthy, STACK } from '../rig/health.ts'

/** A start is mostly the loading of modules: one at a time for each of two cores. */
const STARTS_AT_ONCE = 2

/** Changes a copy of a member's directory. Its HSM is the member's own, by the absolute paths in its settings. */
type Spoil = (dir: string, ctx: { readonly rig: Rig }) => Promise<unknown>
/** What is wrong, how it is made so, the code, and what the line must say. */
type Case = readonly [string, Spoil, string, RegExp?]

const edit =
  (file: string, from: string | RegExp, to: string): Spoil =>
  async (dir) => {
    const text = await readFile(join(dir, file), 'utf8')
    const edited = text.replace(from, to)
    if (edited === text) throw new Error(`${file} does not say ${from}`)
    await writeFile(join(dir, file), edited)
  }
const remove =
  (...path: string[]): Spoil =>
  (dir) =>
    rm(join(dir, ...path), { recursive: true })
const append =
  (file: string, text: string): Spoil =>
  (dir) =>
    appendFile(join(dir, file), text)
const write =
  (file: string, text: string): Spoil =>
  (dir) =>
    writeFile(join(dir, file), text)
const nothing: Spoil = async () => undefined

/** A PIN file of the copy's own, in place of the member's. */
const ownPin =
  (pin: string, mode: number): Spoil =>
  async (dir, ctx) => {
    const file = join(dir, 'own-pin')
    await writeFile(file, `${pin}\n`, { mode: 0o600 })
    await chmod(file, mode)
    await edit('node.yaml', /file: \S+pin$/m, `file: ${file}`)(dir, ctx)
  }

/** SoftHSM is told to keep its tokens where there is nothing. */
const tokensGone: Spoil = async (dir) => {
  const conf = join(dir, 'softhsm2.conf')
  await writeFile(conf, `directories.tokendir = ${join(dir, 'gone')}\nobjectstore.backend = file\nlog.level = ERROR\n`)
  const text = await readFile(join(dir, 'node.yaml'), 'utf8')
  await writeFile(join(dir, 'node.yaml'), text.replace(/SOFTHSM2_CONF: \S+/, `SOFTHSM2_CONF: ${conf}`))
}

const unsignedLock: Spoil = async (dir, { rig }) => {
  const file = join(dir, 'cluster.lock.json')
  const cards = [...rig.cluster.names, 'coordinator'].map((name) => join(rig.cluster.dirOf(name), 'card.json'))
  await conclave('cluster', 'draft', '--card', ...cards, '--required', '2', '--out', file)
}

/** A lock of two of our nodes, signed by both, with a cluster id of its own. @param nameOf - the name that it gives to each. */
const otherLock =
  (nameOf: Readonly<Record<string, string>>): Spoil =>
  async (dir, { rig }) => {
    const lock = join(dir, 'cluster.lock.json')
    const dirOf = (name: string) => rig.cluster.dirOf(name)
    const cards = Object.entries(nameOf).map(async ([name, other]) => {
      const card = join(dir, `card-${name}.json`)
      await writeFile(card, JSON.stringify({ ...JSON.parse(await readFile(join(dirOf(name), 'card.json'), 'utf8')), name: other }))
      return card
    })
    await conclave('cluster', 'draft', '--card', ...(await Promise.all(cards)), '--required', '2', '--out', lock)
    for (const name of Object.keys(nameOf)) await signLock(dirOf(name), lock)
  }

const othersSocket: Spoil = (dir, { rig }) =>
  appendFile(join(dir, 'node.yaml'), `admin: { socket: ${join(rig.cluster.dirOf('oslo'), 'admin.sock')} }\n`)

const NODE: readonly Case[] = [
  ['no settings file', remove('node.yaml'), 'SETTINGS_UNREADABLE', /node\.yaml/],
  ['settings that are no YAML', write('node.yaml', 'node: {name: [\n'), 'BAD_SETTINGS', /node\.yaml:\d+: /],
  ['an unknown settings key', append('node.yaml', 'signnig: {}\n'), 'BAD_SETTINGS', /node\.yaml:\d+: .*signnig/],
  ['a wrong value', append('node.yaml', 'log:\n  level: loud\n'), 'BAD_SETTINGS', /node\.yaml:\d+: /],
  ['a wrong PIN', ownPin('not-the-pin', 0o600), 'PIN_INCORRECT'],
  ['a PIN file that others may read', ownPin('not-the-pin', 0o644), 'PIN_SOURCE', /own-pin/],
  ['no PIN file', edit('node.yaml', /(file: \S+pin)$/m, '$1-gone'), 'PIN_SOURCE', /pin-gone/],
  ['no PKCS#11 module', edit('node.yaml', /module: \S+/, 'module: /nonexistent/libhsm.so'), 'MODULE_MISSING', /\/nonexistent\/libhsm\.so/],
  ['a module that is none', edit('node.yaml', /module: \S+/, 'module: /etc/hostname'), 'MODULE_MISSING', /\/etc\/hostname/],
  ['no token directory', tokensGone, 'TOKEN_LOST'],
  ['a token of another label', edit('node.yaml', /token: \S+/, 'token: conclave-nobody'), 'TOKEN_LOST', /conclave-nobody/],
  ['no lock', remove('cluster.lock.json'), 'LOCK_UNREADABLE', /cluster\.lock\.json/],
  ['a lock that is no JSON', write('cluster.lock.json', '{"format":'), 'BAD_LOCK'],
  ['a lock of another form', write('cluster.lock.json', '{"format": "x"}'), 'BAD_LOCK'],
  ['a lock that somebody changed', edit('cluster.lock.json', '"required": 2', '"required": 3'), 'LOCK_UNSIGNED'],
  ['an unsigned lock', unsignedLock, 'LOCK_UNSIGNED', /zurich, oslo, lisbon/],
  ['the lock of a cluster without it', otherLock({ oslo: 'oslo', lisbon: 'lisbon' }), 'NOT_A_MEMBER', /zurich/],
  ['the lock of a cluster with another zurich', otherLock({ oslo: 'zurich', zurich: 'oslo' }), 'WRONG_IDENTITY', /another identity/],
  ['no policy', remove('policy.yaml'), 'POLICY_UNREADABLE', /policy\.yaml/],
  ['a policy that says nothing', write('policy.yaml', 'version: 1\nsequence: 1\nrulez: []\n'), 'BAD_POLICY', /policy\.yaml:\d+: /],
  ['no store', remove('store'), 'STORE_MISSING', /store/],
  ['no key of the store', remove('store.key'), 'STORE_MISSING', /store\.key/],
  [
    'an admin socket of too long a path',
    append('node.yaml', `admin: { socket: ${'x'.repeat(110)} }\n`),
    'ADMIN_SOCKET_PATH',
    /admin\.socket/,
  ],
  ['an admin socket in no directory', append('node.yaml', 'admin: { socket: none/admin.sock }\n'), 'ADMIN_SOCKET_PATH', /none/],
  ['the admin socket of another node', othersSocket, 'ADMIN_SOCKET_IN_USE', /oslo/],
  ['DUMP_SESSION_KEYS in the environment', nothing, 'DUMP_SESSION_KEYS'],
  ['a store.key that is damaged', write('store.key', 'x'.repeat(300)), 'TAMPER'],
]

const COORDINATOR: readonly Case[] = [
  ['no settings file', remove('coordinator.yaml'), 'SETTINGS_UNREADABLE', /coordinator\.yaml/],
  ['an unknown settings key', append('coordinator.yaml', 'signnig: {}\n'), 'BAD_SETTINGS', /(coordinator\.yaml:|line )\d+: .*signnig/],
  ['an identity that others may read', (dir) => chmod(join(dir, 'identity'), 0o644), 'IDENTITY_FILE_EXPOSED'],
  ['no identity', remove('identity'), 'IDENTITY_FILE_UNREADABLE'],
  ['an unsigned lock', unsignedLock, 'LOCK_UNSIGNED'],
  ['a name that is not in the lock', edit('coordinator.yaml', 'name: coordinator', 'name: paris'), 'NOT_A_MEMBER'],
  ['DUMP_SESSION_KEYS in the environment', nothing, 'DUMP_SESSION_KEYS'],
]

const USAGE: readonly (readonly string[])[] = [
  ['frobnicate'],
  ['node'],
  ['node', '--dir', 'x', '--colour', 'red'],
  ['node', 'init', '--dir', 'x'],
  ['node', 'status'],
  ['node', 'pair', 'reset', '--dir', 'x', '--peer', 'oslo'],
  ['node', 'pair', 'reset', '--dir', 'x', '--reason', 'y'],
  ['coordinator', 'init', '--dir', 'x', '--name', 'c'],
  ['cluster', 'draft', '--out', 'x'],
]

describe('bad starts', () => {
  const rig = useSharedCluster()
  const outcomes = new Map<Case, Promise<Outcome>>()
  let scratch: string

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'conclave-start-'))
    const start = async (kind: string, member: string, [, spoil, code]: Case) =>
      runConclave([kind, '--dir', await spoilt(member, spoil)], code === 'DUMP_SESSION_KEYS' ? { [code]: '1' } : {})
    const cases = [
      ...NODE.map((c) => ['node', 'zurich', c] as const),
      ...COORDINATOR.map((c) => ['coordinator', 'coordinator', c] as const),
    ]
    const results = pooled(
      cases.map(
        ([kind, member, c]) =>
          () =>
            start(kind, member, c),
      ),
      STARTS_AT_ONCE,
    )
    for (const [i, [, , c]] of cases.entries()) outcomes.set(c, results[i] as Promise<Outcome>)
  })

  after(() => rm(scratch, { recursive: true, force: true }))

  /** A copy of a member's directory, spoilt. */
  async function spoilt(member: string, spoil: Spoil): Promise<string> {
    const dir = await mkdtemp(join(scratch, `${member}-`))
    await cp(rig().cluster.dirOf(member), dir, {
      recursive: true,
      // A running member's log, database lock and admin socket stay with it.
      filter: (source) => !/\.log$|\.sock$|LOCK$/.test(source) || source.includes('store/'),
    })
    await spoil(dir, { rig: rig() })
    return dir
  }

  for (const [kind, cases] of [
    ['node', NODE],
    ['coordinator', COORDINATOR],
  ] as const) {
    for (const c of cases) {
      const [what, , code, says] = c
      it(`${kind}: ${what} is ${code}`, async () => {
        expectRefused((await outcomes.get(c)) as Outcome, code, says)
      })
    }
  }

  it('node: a store without CURRENT is STORE_MISSING, and none of its files is touched', async () => {
    const dir = await spoilt('zurich', nothing)
    const store = join(dir, 'store')
    await unlink(join(store, 'CURRENT'))
    const before = await readdir(store)
    expectRefused(await runConclave(['node', '--dir', dir]), 'STORE_MISSING')
    expect(await readdir(store)).to.deep.equal(before)
  })

  it('node and coordinator: a second process on a directory is STORE_LOCKED, and the first one runs on', async () => {
    const { cluster } = rig()
    const pids = cluster.pids()
    expectRefused(await runConclave(['node', '--dir', cluster.dirOf('zurich')]), 'STORE_LOCKED')
    expectRefused(await runConclave(['coordinator', '--dir', cluster.dirOf('coordinator')]), 'STORE_LOCKED')
    await expectHealthy(rig(), pids)
  })

  it('node and coordinator: a port in use is LISTEN_FAILED', async () => {
    // The members themselves hold their ports.
    expectRefused(await runConclave(['node', '--dir', await spoilt('zurich', nothing)]), 'LISTEN_FAILED')
    expectRefused(await runConclave(['coordinator', '--dir', await spoilt('coordinator', nothing)]), 'LISTEN_FAILED')
  })

  it('coordinator: an HTTP port in use is LISTEN_FAILED', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { readonly port: number }
    const free = edit('coordinator.yaml', /\/ip4\/\S+/, '/ip4/127.0.0.1/tcp/0')
    const dir = await spoilt('coordinator', async (at, ctx) => {
      await free(at, ctx)
      await edit('coordinator.yaml', /listen: 127\.0\.0\.1:\d+/, `listen: 127.0.0.1:${port}`)(at, ctx)
    })
    try {
      expectRefused(await runConclave(['coordinator', '--dir', dir]), 'LISTEN_FAILED', new RegExp(String(port)))
    } finally {
      server.close()
    }
  })

  it('init: a directory that belongs to a member is ALREADY_INITIALISED or refused, and stays as it is', async () => {
    const dir = rig().cluster.dirOf('oslo')
    const before = await readFile(join(dir, 'node.yaml'), 'utf8')
    const listen = ['--listen', '/ip4/127.0.0.1/tcp/9']
    expectRefused(await runConclave(['node', 'init', '--dir', dir, '--name', 'oslo', ...listen]), 'ALREADY_INITIALISED')
    const again = ['coordinator', 'init', '--dir', rig().cluster.dirOf('coordinator'), '--name', 'coordinator', '--http', '127.0.0.1:1']
    expectRefused(await runConclave([...again, ...listen]), 'IDENTITY_FILE_EXISTS')
    expect(await readFile(join(dir, 'node.yaml'), 'utf8')).to.equal(before)
  })

  for (const args of USAGE) {
    it(`usage: conclave ${args.join(' ')} exits with 2`, async () => {
      const { exitCode, stderr } = await runConclave(args)
      expect([exitCode, STACK.test(stderr)], stderr).to.deep.equal([2, false])
    })
  }
})
