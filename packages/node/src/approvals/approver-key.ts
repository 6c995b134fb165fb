import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { ConfigError, ML_DSA_65_KEY_BYTES, toHex } from '@conclave/core'

const ED25519_KEY_BYTES = 32

export type ApproverKeyType = 'ed25519' | 'ml-dsa-65'

/** Makes a key in a file that only its owner reads (PKCS #8, PEM). @returns the public key as a policy names it. */
export async function makeApproverKey(file: string, type: ApproverKeyType = 'ed25519'): Promise<string> {
  const { privateKey } = type === 'ed25519' ? generateKeyPairSync(type) : generateKeyPairSync(type)
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
  try {
    await writeFile(file, pem, { mode: 0o600, flag: 'wx' })
  } catch (cause) {
    throw new ConfigError('APPROVER_KEY_UNWRITABLE', `cannot write ${file}: it may exist already`, { file }, cause)
  }
  return publicText(privateKey)
}

function publicText(key: KeyObject): string {
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  if (key.asymmetricKeyType === 'ed25519') return `ed25519:${toHex(spki.subarray(-ED25519_KEY_BYTES))}`
  return `mldsa65:${toHex(spki.subarray(-ML_DSA_65_KEY_BYTES))}`
}

/** Signs with the key in a file. @throws {ConfigError} APPROVER_KEY_UNREADABLE, BAD_APPROVER_KEY. */
export async function approverSigner(file: string, type: ApproverKeyType = 'ed25519'): Promise<(message: Uint8Array) => Uint8Array> {
  let pem: Buffer
  try {
    pem = await readFile(file)
  } catch (cause) {
    throw new ConfigError('APPROVER_KEY_UNREADABLE', `cannot read the approver key ${file}`, { file }, cause)
  }
  const key = parseKey(pem, file, type)
  pem.fill(0)
  return (message) => new Uint8Array(sign(null, message, key))
}

function parseKey(pem: Buffer, file: string, type: ApproverKeyType): KeyObject {
  let key: KeyObject | undefined
  try {
    key = createPrivateKey(pem)
  } catch {
    // The error of the library may quote what is in the file.
  }
  if (key?.asymmetricKeyType === type) return key
  const [name, option] = type === 'ed25519' ? ['Ed25519', ''] : ['ML-DSA-65', ' --pq']
  throw new ConfigError('BAD_APPROVER_KEY', `${file} holds no ${name} key: make one with "conclave approver keygen${option}"`, { file })
}
