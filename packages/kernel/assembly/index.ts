// AssemblyScript, not TypeScript: what crosses to JavaScript. Addresses and lengths are usize.

/** The first address that no static data lies at. */
export function heapBase(): usize {
  return __heap_base
}

export { expandSeeds, hashIndices, hashRows, prepareHash } from './hash'
export { foldBlocks, transpose } from './bits'
export { addScalars, areCanonical, invertScalar, mulScalars, reduceWide, subScalars } from './scalar'
export { addSelected, combineColumns, maskedDifferences, subSelected, sumColumns, sumSelected } from './vector'
