// AssemblyScript, not TypeScript: what crosses to JavaScript. Addresses and lengths are usize.

/** The first address that no static data lies at. */
export function heapBase(): usize {
  return __heap_base
}

export { expandSeeds, hashIndices, hashRows, prepareHash } from './hash'
export { foldBlocks, transpose } from './bits'
export { addScalars, areCanonical, invertScalar, mulScalars, reduceWide, subScalars } from './scalar'
// For comparison with the twin at bounds that no digest reaches.
export { reduceFour as reduceDigests } from './wide'
export { addSelected, combineColumns, maskedDifferences, subSelected, sumColumns, sumSelected } from './vector'
export {
  pointAdd, pointCombine, pointCompress, pointDecompress, pointEqual, pointIsIdentity, pointMakeTable, pointMultiply,
  pointMultiplyBase, pointMultiplyTable, pointStart, pointSubtract, pointTable, pointTableBytes,
} from './point-exports'

// For comparison with the twin at the bounds of magnitudes, which no point reaches.
export { toBytes as fieldToBytes, invert as fieldInvert, settle as fieldSettle } from './field'
export { mul as fieldMultiply, sqr as fieldSquare, mulSub as fieldMultiplySubtract, mulSums as fieldMultiplySums } from './product'
