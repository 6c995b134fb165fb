/** The numbers of the specification, section 0. A test pins them; changing one is changing the protocol. */

/** Computational security in bits: OT width, number of base OTs. */
export const KAPPA = 128
/** Statistical security in bits. */
export const STATISTICAL = 85
/** OTs per multiplication: at least 256 + 3 * STATISTICAL + 2 * KAPPA (Variant II, Asharov). */
export const M = 768
/** Length of the OT extension: the last KAPPA rows are consumed by the check. */
export const N = M + KAPPA
/** Payload columns of the VOLE: nonce and key. */
export const PAYLOAD = 2
/** Columns with the mask. */
export const COLUMNS = 3

export const SCALAR_BYTES = 32
export const POINT_BYTES = 33
/** Bytes of one OT-extension column. */
export const COLUMN_BYTES = N / 8
/** Bytes of one row. */
export const ROW_BYTES = KAPPA / 8
export const SEED_BYTES = 32
