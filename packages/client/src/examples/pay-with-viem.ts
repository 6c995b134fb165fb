import { ConclaveClient } from '@conclave/client'
import { toConclaveAccount } from '@conclave/client/viem'
import { createPublicClient, createWalletClient, defineChain, type Hex, http } from 'viem'

interface Payment {
  /** Of the coordinator. */
  readonly url: string
  readonly apiKey: string
  readonly keyId: string
  readonly path: string
  /** Of an EVM node. */
  readonly rpcUrl: string
  readonly to: Hex
  readonly wei: bigint
}

/** A payment by viem, in which one line names the cluster: the account. */
export async function payWithViem({
  url,
  apiKey,
  keyId,
  path,
  rpcUrl,
  to,
  wei,
}: Payment): Promise<{ hash: Hex; from: Hex; isMined: boolean }> {
  const account = await toConclaveAccount({ client: new ConclaveClient({ url, apiKey }), keyId, path })

  const transport = http(rpcUrl)
  const chain = defineChain({
    id: await createPublicClient({ transport }).getChainId(),
    name: 'example',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
  })
  const hash = await createWalletClient({ account, chain, transport }).sendTransaction({ to, value: wei })
  const receipt = await createPublicClient({ chain, transport }).waitForTransactionReceipt({ hash })
  return { hash, from: account.address, isMined: receipt.status === 'success' }
}
