import { z } from 'zod'
import { parse } from '../admin.ts'
import type { AdminRoute } from '../admin-server.ts'
import type { HsmDrills } from './hsm-drill.ts'

const Begin = z.strictObject({ key: z.string().min(1).max(63) })
const Finish = z.strictObject({ problem: z.string().max(512).optional() })

/** What an operator may ask of a node's drills. */
export function drillRoutes(drills: HsmDrills): readonly AdminRoute[] {
  return [
    {
      method: 'POST',
      path: /^\/v1\/hsms\/([^/:]{1,32}):drill$/,
      handle: ([hsm = ''], body) => drills.begin(hsm, parse(Begin, body).key),
    },
    { method: 'GET', path: /^\/v1\/hsm-drills\/([0-9a-f]{32})$/, handle: async ([id = '']) => drills.progress(id) },
    {
      method: 'POST',
      path: /^\/v1\/hsm-drills\/([0-9a-f]{32}):finish$/,
      handle: ([id = ''], body) => drills.finish(id, parse(Finish, body).problem),
    },
  ]
}
