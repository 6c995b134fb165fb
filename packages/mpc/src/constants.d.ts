/** The numbers of the specification, section 0. A test pins them; changing one is changing the protocol. */
/** Computational security in bits: OT width, number of base OTs. */
export declare const KAPPA = 128;
/** Statistical security in bits. */
export declare const STATISTICAL = 85;
/** OTs per multiplication: at least 256 + 3 * STATISTICAL + 2 * KAPPA (Variant II, Asharov). */
export declare const M = 768;
/** Length of the OT extension: the last KAPPA rows are consumed by the check. */
export declare const N: number;
/** Payload columns of the VOLE: nonce and key. */
export declare const PAYLOAD = 2;
/** Columns with the mask. */
export declare const COLUMNS = 3;
export declare const SCALAR_BYTES = 32;
export declare const POINT_BYTES = 33;
/** Bytes of one OT-extension column. */
export declare const COLUMN_BYTES: number;
/** Bytes of one row. */
export declare const ROW_BYTES: number;
export declare const SEED_BYTES = 32;
