import { z } from 'zod'
import { parseAbi } from './contract-abi.ts'
import { BITCOIN_NETWORKS, type Decoding } from './decode-context.ts'

export const ABI_FILES_MAX = 256

const abi = z.strictObject({
  file: z.string().min(1).max(4096),
  chain: z.int('a chain id is a whole number').min(1, 'a chain id is at least 1').optional(),
  address: z.string('an address is text: put it in quotes').optional(),
})

/** The part `decoding` of a settings file: what decoders know beside a payload. The same on every node and on the coordinator. */
export const decodingSettings = z.strictObject({
  bitcoinNetwork: z.enum(BITCOIN_NETWORKS, { error: `must be one of: ${BITCOIN_NETWORKS.join(', ')}` }).default('mainnet'),
  abis: z.array(abi).max(ABI_FILES_MAX).default([]),
})

export type DecodingSettings = z.output<typeof decodingSettings>

/** The same with every path replaced by what `absolute` makes of it. */
export function withPaths(settings: DecodingSettings, absolute: (path: string) => string): DecodingSettings {
  return { ...settings, abis: settings.abis.map((entry) => ({ ...entry, file: absolute(entry.file) })) }
}

/**
 * What the settings say, once their files have been read.
 *
 * @param read - the text of an ABI file; its errors pass through.
 * @throws {ConfigError} BAD_ABI; {InvalidArgument} BAD_ADDRESS.
 */
export async function loadDecoding({ bitcoinNetwork, abis }: DecodingSettings, read: (file: string) => Promise<string>): Promise<Decoding> {
  const texts = await Promise.all(abis.map(({ file }) => read(file)))
  const contracts = abis.map(({ file, chain, address }, i) => {
    const place = { chainId: chain === undefined ? undefined : BigInt(chain), address }
    return parseAbi(texts[i] as string, place, file)
  })
  return { bitcoinNetwork, contracts }
}
