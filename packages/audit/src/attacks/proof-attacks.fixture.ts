import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from '@conclave/core'
import { LogFiles } from '../disk.ts'
import { LogView } from '../log-view.ts'
import { leafHash, rootOf, type TreeHead, verifyInclusion } from '../merkle.ts'
import { verifyPack, writePack } from '../pack.ts'
import { keysOf, openLog, testEntry } from '../signed-log.fixture.ts'
import { judgeCheckpoint } from '../witness.ts'
import type { Attack } from './attacks.fixture.ts'
import { type Lab, SIZE } from './lab.fixture.ts'

async function withLog<T>(lab: Lab, use: (log: Awaited<ReturnType<typeof openLog>>) => Promise<T>): Promise<T> {
  const dir = await lab.copy('n1')
  const log = await openLog(dir)
  try {
    return await use(log)
  } finally {
    await log.close()
    await rm(dir, { recursive: true })
  }
}

/** What a node says to one that watches its log. */
function witnessLies(): Attack[] {
  const lie = (
    name: string,
    say: (log: Awaited<ReturnType<typeof openLog>>) => Promise<readonly [TreeHead, number, readonly Uint8Array[]]>,
  ): Attack => ({
    kind: 'lie to a witness',
    name,
    run: (lab) =>
      withLog(lab, async (log) => {
        const known = { size: 200, root: await log.rootAt(200) }
        const [head, oldSize, proof] = await say(log)
        const verdict = judgeCheckpoint(known, { head, oldSize, proof })
        return verdict === 'consistent' ? [] : [verdict]
      }),
  })
  const honest = async (log: Awaited<ReturnType<typeof openLog>>, size = SIZE) => ({ size, root: await log.rootAt(size) })
  return [
    lie('a shorter log', async (log) => [await honest(log, 199), 0, []]),
    lie('an empty log', async (log) => [
      { size: 0, root: await rootOf({ hash: () => Promise.reject(new Error()) }, 0) },
      0,
      await log.consistency(0, 0),
    ]),
    lie('the same size, another root', async (log) => [{ size: 200, root: await log.rootAt(201) }, 200, []]),
    lie('longer, from another base', async (log) => [await honest(log), 199, await log.consistency(199, SIZE)]),
    lie('longer, as if never seen', async (log) => [await honest(log), 0, []]),
    lie('longer, without a proof', async (log) => [await honest(log), 200, []]),
    lie('longer, with a proof of something else', async (log) => [await honest(log), 200, await log.consistency(199, SIZE)]),
    lie('longer, another root', async (log) => [{ size: SIZE, root: await log.rootAt(SIZE - 1) }, 200, await log.consistency(200, SIZE)]),
    ...[0, 1, 2, 3].map((at) =>
      lie(`hash ${at} of the proof changed`, async (log) => {
        const proof = await log.consistency(200, SIZE)
        return [await honest(log), 200, proof.map((h, i) => (i === at % proof.length ? h.map((b) => b ^ 1) : h))]
      }),
    ),
  ]
}

/** An entry that is not where a proof says. */
function falseInclusions(): Attack[] {
  const claim = (name: string, index: number, entry: Uint8Array, change = (p: readonly Uint8Array[]) => p): Attack => ({
    kind: 'false inclusion',
    name,
    run: (lab) =>
      withLog(lab, async (log) => {
        const proof = change(await log.inclusion(100, SIZE))
        return verifyInclusion(leafHash(entry), { index, size: SIZE }, proof, await log.rootAt(SIZE)) ? [] : ['refused']
      }),
  })
  return [
    claim('another entry', 100, testEntry('n1', 100, 'no')),
    claim('the entry at another index', 101, testEntry('n1', 100)),
    claim('another index', 99, testEntry('n1', 99)),
    claim('a shorter proof', 100, testEntry('n1', 100), (p) => p.slice(1)),
    claim('a longer proof', 100, testEntry('n1', 100), (p) => [...p, p[0] as Uint8Array]),
    claim('a proof in another order', 100, testEntry('n1', 100), (p) => p.toReversed()),
  ]
}

/** Evidence packs that are not what was exported. */
function packs(): Attack[] {
  const tampered = (name: string, change: (dir: string, lab: Lab) => Promise<void>): Attack => ({
    kind: 'evidence pack',
    name,
    async run(lab) {
      const [log, dir] = [await lab.copy('n1'), await lab.copy('n1')]
      await rm(dir, { recursive: true })
      await writePack(await LogView.open(new LogFiles(log), keysOf('n1')), { from: 100, to: 110, locks: [] }, dir)
      await change(dir, lab)
      const outcome = await verifyPack(dir, keysOf('n1'), () => false).then(
        () => [],
        (error: unknown) => [codeOf(error)],
      )
      for (const used of [log, dir]) await rm(used, { recursive: true })
      return outcome
    },
  })
  const lines = async (dir: string, change: (lines: string[]) => string[]) => {
    const file = join(dir, '8-other.jsonl')
    await writeFile(
      file,
      change((await readFile(file, 'utf8')).trimEnd().split('\n'))
        .map((l) => `${l}\n`)
        .join(''),
    )
  }
  return [
    tampered('an entry taken out', (dir) => lines(dir, (l) => l.toSpliced(3, 1))),
    tampered('an entry twice', (dir) => lines(dir, (l) => [...l, l[0] as string])),
    tampered('an entry changed', (dir) => lines(dir, (l) => l.with(3, (l[3] as string).replace('yes', 'no')))),
    tampered('an entry at another index', (dir) => lines(dir, (l) => l.with(3, (l[3] as string).replace('103', '104')))),
    tampered('fewer entries claimed', async (dir) => {
      await lines(dir, (l) => l.slice(0, 5))
      await writeFile(join(dir, 'pack.json'), (await readFile(join(dir, 'pack.json'), 'utf8')).replace('"to":110', '"to":105 '))
    }),
    tampered('a phase renamed', (dir) =>
      cp(join(dir, '8-other.jsonl'), join(dir, '5-signing.jsonl')).then(() => rm(join(dir, '8-other.jsonl'))),
    ),
    tampered('an older checkpoint', async (dir, lab) => writeFile(join(dir, 'checkpoint'), lab.checkpoint(255))),
    tampered('a cluster lock of somebody', (dir) => writeFile(join(dir, 'lock-1.json'), '{}')),
    tampered('a file more', async (dir) => writeFile(join(dir, `more-${(await readdir(dir)).length}`), 'x')),
  ]
}

/** Everything that is said about a log. */
export const PROOF_ATTACKS: readonly Attack[] = [...witnessLies(), ...falseInclusions(), ...packs()]
