import type { EcdsaSignature } from './ecdsa.ts';
import { type Protocol, type Round } from './protocol.ts';
import { type SignContext } from './sign-maths.ts';
export declare const SIGN_ROUNDS: readonly Round[];
/**
 * Threshold signing, section 5: four rounds among exactly `threshold` parties.
 *
 * Guarantees: the result verifies under the (derived) public key, or nothing is returned. No signature share is sent before every
 * peer has proved twice that it saw the same nonce commitments. Pair states and the share stay the caller's to dispose.
 *
 * @throws {ProtocolAbort} OT_CHECK, VOLE_CHECK, SIGN_*. {InvalidArgument} BAD_QUORUM, BAD_DIGEST, BAD_PATH.
 */
export declare function sign(ctx: SignContext): Protocol<EcdsaSignature>;
