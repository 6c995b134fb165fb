import { InvalidArgument } from '@conclave/core'
import type { ExistingHsm } from '@conclave/node'
import type { Command } from 'commander'

/** Options that name a token which exists already. */
export interface TokenOptions {
  module?: string
  token?: string
  pinFile?: string
  libraryParameters?: string
  hsmEnv?: string[]
  adopt?: true
}

export function addTokenOptions(command: Command): Command {
  return command
    .option('--module <file>', 'PKCS#11 library of an HSM whose token exists; default: a SoftHSM token inside the directory')
    .option('--token <label>', 'label of that token')
    .option('--pin-file <file>', 'file with its user PIN, mode 0400 or 0600')
    .option('--library-parameters <text>', 'what the library takes when it is initialised (NSS)')
    .option('--hsm-env <name=value...>', 'environment of the process that talks to the HSM; written into the settings')
    .option('--adopt', "take the KEK that the vendor's tool has made, for tokens that make none over PKCS#11 (TPM 2.0)")
}

/** @throws {InvalidArgument} BAD_TOKEN when only some of what names a token is given, BAD_OPTION. */
export function existingHsm({ module, token, pinFile, libraryParameters, hsmEnv, adopt }: TokenOptions): ExistingHsm | undefined {
  if (module === undefined || token === undefined || pinFile === undefined) {
    if ([module, token, pinFile, libraryParameters, hsmEnv, adopt].some((x) => x !== undefined))
      throw new InvalidArgument('BAD_TOKEN', 'a token that exists needs --module, --token and --pin-file')
    return undefined
  }
  return { module, token, pinFile, libraryParameters, env: hsmEnv && environment(hsmEnv), adoptKek: adopt === true }
}

function environment(pairs: readonly string[]): Record<string, string> {
  const entries = pairs.map((pair): [string, string] => {
    const at = pair.indexOf('=')
    if (at < 1) throw new InvalidArgument('BAD_OPTION', '--hsm-env takes name=value')
    return [pair.slice(0, at), pair.slice(at + 1)]
  })
  return Object.fromEntries(entries)
}
