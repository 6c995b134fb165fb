import type { RunOrder } from './orders.ts'

/**
 * Leaves out one part after the other for as long as the same invariant still fails.
 *
 * @param parts - labels of everything that can be left out.
 * @param fails - whether the run without these parts still fails in the same way.
 * @returns the order with as much left out as could be, one part at a time.
 */
export async function shrink(order: RunOrder, parts: readonly string[], fails: (order: RunOrder) => Promise<boolean>): Promise<RunOrder> {
  let dropped = order.dropped
  let isSmaller = true
  while (isSmaller) {
    isSmaller = false
    for (const part of parts) {
      if (dropped.includes(part)) continue
      const smaller = [...dropped, part]
      if (!(await fails({ seed: order.seed, dropped: smaller }))) continue
      dropped = smaller
      isSmaller = true
    }
  }
  return { seed: order.seed, dropped }
}
