import { randomBytes } from 'node:crypto'
import { open } from 'node:fs/promises'
import { ConfigError, type IdentitySigner, toHex } from '@conclave/core'
import { softIdentity } from '@conclave/transport'

const SEED_HEX = /^[0-9a-f]{64}\n?$/i

/** Reads at most what a seed needs, and only from a file that nobody else may read. */
async function readSeedText(file: string): Promise<Buffer> {
  await using handle = await open(file, 'r').catch((cause) => {
    throw new ConfigError('IDENTITY_FILE_UNREADABLE', `cannot read the identity file ${file}`, { file }, cause)
  })
  const stat = await handle.stat()
  if (!stat.isFile()) throw new ConfigError('BAD_IDENTITY_FILE', `${file} is not a file`, { file })
  if ((stat.mode & 0o077) !== 0) {
    throw new ConfigError('IDENTITY_FILE_EXPOSED', `others may read ${file}: run chmod 600 on it`, { file })
  }
  const buffer = Buffer.alloc(66)
  const { bytesRead } = await handle.read(buffer, 0, 66, 0)
  return buffer.subarray(0, bytesRead)
}

/**
 * The coordinator's software identity: an Ed25519 seed of 32 bytes, as hexadecimal, in a file of mode 0600.
 *
 * It authenticates links and nothing else, so it needs no HSM: whoever steals it can delay or drop requests.
 *
 * @throws {ConfigError} IDENTITY_FILE_UNREADABLE; IDENTITY_FILE_EXPOSED; BAD_IDENTITY_FILE.
 */
export async function readIdentityFile(file: string): Promise<IdentitySigner> {
  const text = await readSeedText(file)
  try {
    if (!SEED_HEX.test(text.toString('latin1'))) {
      throw new ConfigError('BAD_IDENTITY_FILE', `${file} must hold 32 bytes in hexadecimal and nothing else`, { file })
    }
    const seed = Buffer.from(text.toString('latin1', 0, 64), 'hex')
    try {
      return softIdentity(seed)
    } finally {
      seed.fill(0)
    }
  } finally {
    text.fill(0)
  }
}

/** Makes a fresh identity file; never overwrites one. @throws {ConfigError} IDENTITY_FILE_EXISTS. */
export async function createIdentityFile(file: string): Promise<IdentitySigner> {
  await using handle = await open(file, 'wx', 0o600).catch((cause) => {
    throw new ConfigError('IDENTITY_FILE_EXISTS', `cannot create the identity file ${file}: does it exist already?`, { file }, cause)
  })
  const seed = randomBytes(32)
  try {
    await handle.writeFile(`${toHex(seed)}\n`)
    await handle.sync()
    return softIdentity(seed)
  } finally {
    seed.fill(0)
  }
}
