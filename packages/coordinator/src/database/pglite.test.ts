import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { codeOf } from '@conclave/core'
import { expect } from 'chai'
import { Records } from '../record-store.ts'
import { answerOf, signingRecord } from '../testing/records.ts'
import { rowsOf, sqlOf } from './database.ts'
import { openPglite } from './pglite.ts'
import { openFiles } from './pglite-engine.ts'

const WRITER = fileURLToPath(new URL('../testing/writing-process.ts', import.meta.url))

async function codeFrom(action: Promise<unknown>): Promise<string> {
  return action.then(
    () => 'RESOLVED',
    (error) => codeOf(error),
  )
}

/** The lines that a process prints. */
async function* linesOf(child: ChildProcess): AsyncGenerator<string> {
  if (child.stdout !== null) yield* createInterface(child.stdout)
}

describe('embedded database', function () {
  this.timeout(120_000)
  let home: string
  let path: string
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'conclave-pglite-'))
    const database = await openPglite(join(home, 'made'))
    await new Records(database, { owner: 'hub/1', isKeeper: true }).admit(signingRecord(1), 'h1', answerOf(1))
    await database.close()
  })
  beforeEach(async () => {
    path = join(home, 'store')
    await cp(join(home, 'made'), path, { recursive: true })
  })
  afterEach(() => rm(path, { recursive: true, force: true }))
  after(() => rm(home, { recursive: true, force: true }))

  it('keeps what was written, and is one process’s at a time', async () => {
    const database = await openPglite(path)
    expect(await new Records(database, { owner: 'hub/2', isKeeper: true }).signing(signingRecord(1).requestId)).deep.equal(signingRecord(1))
    expect(await codeFrom(openPglite(path))).equal('STORE_LOCKED')
    await database.close()
    expect(await codeFrom(database.run([sqlOf.selectFrom('key').selectAll().compile()]))).equal('STORE_UNAVAILABLE')
  })

  it('what was acknowledged survives SIGKILL, and the next process may have the store at once', async () => {
    const child = spawn(process.execPath, [WRITER, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    const acknowledged: number[] = []
    for await (const line of linesOf(child)) {
      if (acknowledged.length === 0) expect(await codeFrom(openPglite(path))).equal('STORE_LOCKED')
      acknowledged.push(Number(line))
      if (acknowledged.length === 40) child.kill('SIGKILL')
    }
    const database = await openPglite(path)
    const rows = await rowsOf(database, sqlOf.selectFrom('signing').select('request_id').compile())
    expect(rows.map((r) => Number.parseInt(r.request_id, 16))).include.members(acknowledged)
    expect(await rowsOf(database, sqlOf.selectFrom('idempotency').select('hash').compile())).lengthOf(rows.length)
    await database.close()
  })

  it('a commit is on the disk when it is answered', async () => {
    const before = fs.fdatasyncSync
    let syncs = 0
    fs.fdatasyncSync = (fd) => {
      syncs++
      before(fd)
    }
    syncBuiltinESMExports()
    try {
      const pg = await openFiles(path)
      syncs = 0
      for (const n of [1, 2, 3]) {
        await pg.query('insert into duty (name, owner) values ($1, $2)', [`duty ${n}`, 'hub/1'])
        expect(syncs).equal(n)
      }
      await pg.close()
    } finally {
      fs.fdatasyncSync = before
      syncBuiltinESMExports()
    }
  })

  it('one that nobody waits for keeps no process alive', async () => {
    const script = `await (await import(${JSON.stringify(import.meta.resolve('./pglite.ts'))})).openPglite(${JSON.stringify(path)})`
    await writeFile(join(home, 'idle.mjs'), script)
    const child = spawn(process.execPath, [join(home, 'idle.mjs')], { stdio: 'inherit' })
    const [code] = await once(child, 'exit')
    expect(code).equal(0)
  })

  it('is not made over a place that holds something else, or a store of an earlier version', async () => {
    const place = join(home, 'place')
    await mkdir(place)
    await writeFile(join(place, 'notes.txt'), 'mine')
    expect(await codeFrom(openPglite(place))).equal('STORE_DAMAGED')
    expect(await readdir(place)).deep.equal(['notes.txt'])
    await mkdir(join(place, 'db'))
    await writeFile(join(place, 'db', 'CURRENT'), '')
    const error = await openPglite(place).catch((e: unknown) => e)
    expect(String(error)).contain('earlier version')
  })

  it('is made again after a crash in the middle of making it', async () => {
    const place = join(home, 'half')
    await mkdir(join(place, 'pg.new', 'base'), { recursive: true })
    await writeFile(join(place, 'pg.new', 'PG_VERSION'), '18')
    await (await openPglite(place)).close()
    expect(await readdir(place))
      .include('pg')
      .not.include('pg.new')
  })

  it('one that has lost files is refused and left alone', async () => {
    await rm(join(path, 'pg', 'PG_VERSION'))
    const before = await readdir(join(path, 'pg'))
    expect(await codeFrom(openPglite(path))).equal('STORE_DAMAGED')
    expect(await readdir(join(path, 'pg'))).deep.equal(before)
  })

  it('a value that was changed behind its back is refused', async () => {
    const text = signingRecord(1).terms.nonce
    let changed = 0
    for (const entry of await readdir(join(path, 'pg', 'base'), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const file = join(entry.parentPath, entry.name)
      const bytes = await readFile(file)
      const at = bytes.indexOf(`"nonce":"${text}`)
      if (at < 0) continue
      bytes.write('7', at + 20)
      await writeFile(file, bytes)
      changed++
    }
    expect(changed).greaterThan(0)
    const database = await openPglite(path)
    expect(await codeFrom(new Records(database, { owner: 'hub/2', isKeeper: true }).signing(signingRecord(1).requestId))).equal(
      'STORE_DAMAGED',
    )
    await database.close()
  })
})
