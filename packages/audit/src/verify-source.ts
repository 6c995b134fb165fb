import { equalBytes } from '@conclave/core'
import { AuditError } from './audit-error.ts'
import { type OpenedCheckpoint, openCheckpoint } from './checkpoint.ts'
import { Findings } from './findings.ts'
import { CHECKPOINT_FILE } from './log.ts'
import { NOTE_BYTES_MAX } from './note.ts'
import { TILE_WIDTH, type TileAddress, tilePath, tileWidth } from './tiles.ts'
import { type LogFilesReader, readBundle, TreeWalk } from './tree-walk.ts'
import { knownMarks, type LogReport, type VerifyOptions } from './verify-dir.ts'

/** Fetches what C2SP tlog-tiles has of a log, and holds all of it against the checkpoint: that and nothing behind it. Never throws. */
export async function verifySource(source: LogFilesReader, options: VerifyOptions): Promise<LogReport> {
  const { keys, node, entry } = options
  const findings = new Findings()
  const checkpoint = await findings.attempt(CHECKPOINT_FILE, async (): Promise<OpenedCheckpoint> => {
    const bytes = await source.read(CHECKPOINT_FILE, NOTE_BYTES_MAX)
    if (bytes === undefined) throw new AuditError('NO_CHECKPOINT', 'nothing in this log is signed')
    return openCheckpoint(bytes, keys)
  })
  const size = checkpoint?.size ?? 0
  const marks = [...(await knownMarks(findings, options))]
  const newest = Math.max(-1, ...marks.map((m) => m.size))
  if (newest > size) findings.add('STALE_CHECKPOINT', CHECKPOINT_FILE, `others hold one of ${newest} entries`)
  if (checkpoint !== undefined) marks.push({ ...checkpoint, where: CHECKPOINT_FILE, code: 'ROOT_MISMATCH' })
  const tile = async (address: TileAddress, expected: Uint8Array): Promise<void> => {
    const name = tilePath(address)
    const bytes = await findings.attempt(
      name,
      async () => (await source.read(name)) ?? source.read(tilePath({ ...address, width: TILE_WIDTH })),
    )
    if (bytes === undefined) findings.add('MISSING', name, 'this tile is missing')
    else if (!equalBytes(bytes.subarray(0, expected.length), expected))
      findings.add('TILE_MISMATCH', name, 'it is not what the entries come to')
  }
  const walk = new TreeWalk({ node, findings, marks, tile, ...(entry === undefined ? {} : { entry }) })
  await walk.begin()
  for (let index = 0; tileWidth('entries', index, size) > 0; index++) {
    const address: TileAddress = { level: 'entries', index, width: tileWidth('entries', index, size) }
    const entries = await findings.attempt(tilePath(address), () => readBundle(source, address))
    if (entries === undefined || findings.isFull) break
    await walk.entries(entries)
  }
  await walk.end()
  const signed = checkpoint === undefined ? undefined : { size, cosigners: checkpoint.cosigners }
  return { origin: keys.origin, size: walk.size, root: await walk.root(), checkpoint: signed, findings: findings.list }
}
