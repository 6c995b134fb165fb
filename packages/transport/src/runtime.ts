import { ConfigError } from '@conclave/core'

const NODE_MAJOR_MIN = 24

/**
 * Refuses an environment in which a transport would fail late or leak.
 *
 * @throws {ConfigError} UNSUPPORTED_RUNTIME below Node 24, where libp2p fails with a misleading connection reset;
 * DUMP_SESSION_KEYS when that variable is set to anything, because noise would then log private keys.
 */
export function checkRuntime(version: string = process.versions.node, env: NodeJS.ProcessEnv = process.env): void {
  const major = Number.parseInt(version, 10)
  if (!(major >= NODE_MAJOR_MIN)) {
    throw new ConfigError('UNSUPPORTED_RUNTIME', `Node ${NODE_MAJOR_MIN} or newer is needed, this is ${version}`, { version })
  }
  if (env.DUMP_SESSION_KEYS !== undefined) {
    throw new ConfigError('DUMP_SESSION_KEYS', 'the environment variable DUMP_SESSION_KEYS is set: session keys would be logged')
  }
}
