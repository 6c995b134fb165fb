import { vaultConformance } from './conformance.ts'
import type { ProfileName } from './profile.ts'
import { SOFTHSM_MISSING, softHsmRig } from './softhsm-rig.fixture.ts'

for (const identityType of ['ed25519', 'secp256k1', 'p256'] as const) {
  vaultConformance(`SoftHSM2, ${identityType}`, { missing: SOFTHSM_MISSING, create: () => softHsmRig({ identityType }) })
}

// All that SoftHSM can do beside the one that it is probed for, two at a time.
const PAIRS: readonly { primary: ProfileName; backup: ProfileName }[] = [
  { primary: 'cbc-hmac', backup: 'kwp' },
  { primary: 'kw', backup: 'cbc-hmac' },
]
for (const profiles of PAIRS) {
  vaultConformance(`SoftHSM2, ${profiles.primary} and ${profiles.backup}`, {
    missing: SOFTHSM_MISSING,
    create: () => softHsmRig({ profiles }),
  })
}
