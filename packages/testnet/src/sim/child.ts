/** A process that runs simulations for main.ts: orders come in, outcomes go out. */
import { messageOf } from '@conclave/core'
import { execute, type RunOrder } from './orders.ts'
import type { Outcome } from './run.ts'

/** What a child says of an order; `crash` when the simulator itself broke down. */
export type Report = { readonly outcome: Outcome } | { readonly order: RunOrder; readonly crash: string }

async function serve(order: RunOrder): Promise<Report> {
  try {
    return { outcome: await execute(order) }
  } catch (error) {
    return { order, crash: error instanceof Error ? (error.stack ?? error.message) : messageOf(error) }
  }
}

process.on('message', (order: RunOrder) => {
  void serve(order).then((report) => process.send?.(report))
})
