import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { ConfigError, toHex } from '@conclave/core'

/** Makes an Ed25519 key in a file that only its owner reads (PKCS #8, PEM). @returns the public key as a policy names it. */
export async function makeApproverKey(file: string): Promise<string> {
  const { privateKey } = generateKeyPairSync('ed25519')
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
  try {
    await writeFile(file, pem, { mode: 0o600, flag: 'wx' })
  } catch (cause) {
    throw new ConfigError('APPROVER_KEY_UNWRITABLE', `cannot write ${file}: it may exist already`, { file }, cause)
  }
  return publicText(privateKey)
}

function publicText(key: KeyObject): string {
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' })
  return `ed25519:${toHex(Buffer.from(x, 'base64url'))}`
}

/** Signs with the key in a file. @throws {ConfigError} APPROVER_KEY_UNREADABLE, BAD_APPROVER_KEY. */
export async function approverSigner(file: string): Promise<(message: Uint8Array) => Uint8Array> {
  let pem: Buffer
  try {
    pem = await readFile(file)
  } catch (cause) {
    throw new ConfigError('APPROVER_KEY_UNREADABLE', `cannot read the approver key ${file}`, { file }, cause)
  }
  const key = parseKey(pem, file)
  pem.fill(0)
  return (message) => new Uint8Array(sign(null, message, key))
}

function parseKey(pem: Buffer, file: string): KeyObject {
  let key: KeyObject | undefined
  try {
    key = createPrivateKey(pem)
  } catch {
    // The error of the library may quote what is in the file.
  }
  if (key?.asymmetricKeyType === 'ed25519') return key
  throw new ConfigError('BAD_APPROVER_KEY', `${file} holds no Ed25519 key: make one with "conclave approver keygen"`, { file })
}
