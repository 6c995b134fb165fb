/** Edits of the messages of signing, which have one entry for each item. */

/** The list with entry `at` changed. */
export const changed = <V>(list: readonly V[], change: (value: V) => V, at = 0): readonly V[] =>
  list.map((value, i) => (i === at ? change(value) : value))

/** Changes entry `at` of the list in field `name`, and nothing else of the message. */
export const inList =
  <N extends string, V>(name: N, change: (value: V) => NoInfer<V>, at = 0) =>
  <T extends Readonly<Record<N, readonly V[]>>>(message: T): T => ({ ...message, [name]: changed(message[name], change, at) })
