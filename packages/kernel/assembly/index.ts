// AssemblyScript, not TypeScript: what crosses to JavaScript. Addresses and lengths are usize.

/** The first address that no static data lies at. */
export function heapBase(): usize {
  return __heap_base
}
