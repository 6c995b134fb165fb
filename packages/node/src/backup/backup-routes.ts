import { isAbsolute } from 'node:path'
import { CUSTODIANS_MAX } from '@conclave/wire'
import { z } from 'zod'
import { parse } from '../admin.ts'
import type { AdminRoute } from '../admin-server.ts'
import type { BackupKeeper } from './backup-keeper.ts'

const PATH_CHARS_MAX = 1024
const Path = z
  .string()
  .min(1)
  .max(PATH_CHARS_MAX)
  .refine((path) => isAbsolute(path) && !path.includes('\0'), { message: 'must be an absolute path' })

const Out = z.strictObject({ out: Path })
const In = z.strictObject({ in: Path })
const Drill = z.strictObject({ in: Path, pieces: z.array(Path).max(CUSTODIANS_MAX) })
const Nothing = z.strictObject({})

/** What an operator may ask of a node's backups; files are named, and the node reads and writes them itself. */
export function backupRoutes(backups: BackupKeeper): readonly AdminRoute[] {
  return [
    { method: 'POST', path: /^\/v1\/backup:create$/, handle: (_, body) => backups.create(parse(Out, body).out) },
    { method: 'POST', path: /^\/v1\/backup:verify$/, handle: (_, body) => backups.verify(parse(In, body).in) },
    {
      method: 'POST',
      path: /^\/v1\/backup:begin-drill$/,
      async handle(_, body) {
        parse(Nothing, body)
        return backups.beginDrill()
      },
    },
    {
      method: 'POST',
      path: /^\/v1\/backup:drill$/,
      handle(_, body) {
        const { in: file, pieces } = parse(Drill, body)
        return backups.drill(file, pieces)
      },
    },
    { method: 'POST', path: /^\/v1\/backup:epochs$/, handle: (_, body) => backups.exportEpochs(parse(Out, body).out) },
  ]
}
