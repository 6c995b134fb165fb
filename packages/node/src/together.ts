/** All results, or the first failure once every act has ended: nothing goes on that its caller does not know of. */
export async function together<const A extends readonly Promise<unknown>[]>(acts: A): Promise<{ -readonly [I in keyof A]: Awaited<A[I]> }> {
  await Promise.allSettled(acts)
  return (await Promise.all(acts)) as { -readonly [I in keyof A]: Awaited<A[I]> }
}
