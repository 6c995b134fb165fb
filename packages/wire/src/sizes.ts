/** Lengths on the wire that follow from the constants of the specification, section 0; a test of mpc holds the two equal. */

/** kappa: base OTs a direction, and columns of an OT extension. */
export const OT_COLUMNS = 128
/** N / 8: bytes of one column. */
export const OT_COLUMN_BYTES = 112
/** m: rows of one multiplication. */
export const VOLE_ROWS = 768
/** Scalars in one row. */
export const VOLE_ROW_SCALARS = 3

/** Of a traceparent, version 00 of W3C trace context. */
export const TRACEPARENT_CHARS_MAX = 55
