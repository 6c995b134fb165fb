import { vaultConformance } from './conformance.ts'
import { SOFTHSM_MISSING, softHsmRig } from './softhsm-rig.fixture.ts'

for (const identityType of ['ed25519', 'secp256k1'] as const) {
  vaultConformance(`SoftHSM2, ${identityType}`, { missing: SOFTHSM_MISSING, create: () => softHsmRig(identityType) })
}
