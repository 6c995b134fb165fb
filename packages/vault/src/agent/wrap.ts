import { randomBytes } from 'node:crypto'
import pkcs11, { type Handle, type Mechanism } from 'pkcs11js'
import { type Profile, type ProfileName, profileOf } from '../profile.ts'
import { buffer, type Session } from './cryptoki.ts'
import { AgentFault } from './fault.ts'

/** How a profile wraps and unwraps a data key inside the token. */
interface TokenWrap {
  wrap(session: Session, kek: Handle, aad: Uint8Array, dek: Uint8Array): { iv: Uint8Array; wrapped: Uint8Array }
  unwrap(session: Session, kek: Handle, aad: Uint8Array, iv: Uint8Array, wrapped: Uint8Array): Uint8Array
}

const GCM_TAG_BITS = 128

function gcmMechanism(iv: Uint8Array, aad: Uint8Array): Mechanism {
  const { mechanism, ivBytes } = profileOf('gcm')
  // SoftHSM takes an empty IV for sixteen zero bytes, so that all ciphertexts share one.
  if (iv.length !== ivBytes) throw new AgentFault('UNSUPPORTED', `AES-GCM needs an IV of ${ivBytes} bytes, got ${iv.length}`)
  const parameter = { type: pkcs11.CK_PARAMS_GCM, iv: buffer(iv), ivBits: iv.length * 8, aad: buffer(aad), tagBits: GCM_TAG_BITS }
  return { mechanism, parameter }
}

const TOKEN_WRAPS: Readonly<Record<ProfileName, TokenWrap>> = {
  gcm: {
    wrap(session, kek, aad, dek) {
      const iv = new Uint8Array(randomBytes(profileOf('gcm').ivBytes))
      return { iv, wrapped: session.encrypt(gcmMechanism(iv, aad), kek, dek) }
    },
    unwrap: (session, kek, aad, iv, wrapped) => session.decrypt(gcmMechanism(iv, aad), kek, wrapped),
  },
}

export function tokenWrap(profile: Profile): TokenWrap {
  return TOKEN_WRAPS[profile.name]
}
