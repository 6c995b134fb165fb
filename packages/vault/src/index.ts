export type { VaultCode } from './codes.ts'
export { inspectHsm } from './inspect.ts'
export type { Found, HsmInspection, InspectedKey, InspectedPin, InspectedToken } from './inspection.ts'
export type { DestroyedKek, KekRotation, Rewrapped } from './kek-rotation.ts'
export type { CheckpointSigner, HsmControl, HsmHealth, HsmKeks, KeyVault, SealContext } from './key-vault.ts'
export { MemoryDevice, type MemoryDeviceOptions } from './memory-hsm.ts'
export { type MemoryVaultOptions, memoryVault } from './memory-vault.ts'
export { openPkcs11Vault } from './pkcs11-vault.ts'
export type { ProfileFinding, TokenProbe } from './probe-report.ts'
export { PROFILE_NAMES, type ProfileName } from './profile.ts'
export {
  type BackupSettings,
  type ProvisionedBackup,
  type ProvisionedHsm,
  type ProvisionSettings,
  probeHsm,
  provisionBackupHsm,
  provisionHsm,
} from './provision.ts'
export { parseRecord, type Recipient, SECRET_BYTES_MAX, type SealedRecord } from './record.ts'
export { type RecordShelf, type ShelvedRecord, shelfOf } from './record-shelf.ts'
export { checkHsmSettings, checkVaultSettings, type HsmSettings, type PinSource, type Pkcs11VaultSettings } from './settings.ts'
export { prepareSoftHsm, softHsmModule } from './softhsm.ts'
export { type AttendedHsm, withAttendedHsm } from './unlock.ts'
export type { HsmState, VaultEvent } from './vault-events.ts'
