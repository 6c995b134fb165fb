import { codeOf, messageOf } from '@conclave/core'
import type { AdminStatus } from '../../admin.ts'
import { askAdmin } from '../../admin-client.ts'
import type { Checkup } from '../../checkup.ts'
import { type Known, known, unknown } from '../finding.ts'

export interface RunningNodeFacts {
  readonly status: Known<AdminStatus>
  readonly checkup: Known<Checkup>
  /** Why a node that seems to run does not answer. */
  readonly silence: string | undefined
}

const STOPPED = 'the node is not running'

/** Asks the node on its admin socket, if it runs. */
export async function gatherRunningNode(socket: string): Promise<RunningNodeFacts> {
  try {
    const status = known((await askAdmin(socket, '/v1/status')) as AdminStatus)
    const checkup = await askAdmin(socket, '/v1/checkup').then(
      (c) => known(c as Checkup),
      (error: unknown) => unknown(codeOf(error) === 'NOT_FOUND' ? 'the running node is of an older release' : messageOf(error)),
    )
    return { status, checkup, silence: undefined }
  } catch (error) {
    if (codeOf(error) === 'NODE_NOT_RUNNING') return { status: unknown(STOPPED), checkup: unknown(STOPPED), silence: undefined }
    const why = messageOf(error)
    return { status: unknown(why), checkup: unknown(why), silence: codeOf(error) === 'STARTING' ? undefined : why }
  }
}
