import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { ConclaveError, messageOf } from '@conclave/core'
import { Transaction } from 'micro-eth-signer'
import { Child, until } from './child.ts'

const START_TIMEOUT_MS = 30_000
const MINE_TIMEOUT_MS = 30_000
const PACKAGE = '@foundry-rs/anvil'
const require = createRequire(import.meta.url)

export interface UnsignedTransfer {
  readonly to: string
  readonly valueWei: bigint
  readonly nonce: bigint
  /** Default 31337. */
  readonly chainId?: bigint
  /** Default 1 gwei. */
  readonly gasPriceWei?: bigint
}

/** The exact bytes of an unsigned EIP-1559 transfer, 0x hex. */
export function unsignedTransfer({ to, valueWei, nonce, chainId = 31337n, gasPriceWei = 10n ** 9n }: UnsignedTransfer): string {
  const raw = {
    to,
    value: valueWei,
    nonce,
    chainId,
    gasLimit: 21_000n,
    maxFeePerGas: 2n * gasPriceWei,
    maxPriorityFeePerGas: 1_000_000_000n,
  }
  return Transaction.prepare({ ...raw, type: 'eip1559' }, false).toHex({ includeSignature: false })
}

/** Address of whoever signed this transaction, EIP-55, computed from the signature. @throws when there is no valid one. */
export function senderOf(signedTransaction: string): string {
  return Transaction.fromHex(signedTransaction).recoverSender().address
}

/** The platform's binary, started directly: the package's launcher would leave it running. */
function anvilBinary(): string {
  const platform = process.platform === 'win32' ? 'win32' : process.platform
  const arch = process.arch === 'x64' ? 'amd64' : process.arch
  const name = `${PACKAGE}-${platform}-${arch}`
  try {
    return join(dirname(require.resolve(`${name}/package.json`)), 'bin', 'anvil')
  } catch (cause) {
    throw new ConclaveError('EVM_MISSING', `no EVM for this platform: the package ${name} is not installed`, { cause })
  }
}

/** A real EVM of its own on loopback. */
export class Evm {
  readonly #child: Child
  /** Of its JSON-RPC. */
  readonly url: string
  #id = 1

  private constructor(child: Child, url: string) {
    this.#child = child
    this.url = url
  }

  static async start(port: number, logFile: string): Promise<Evm> {
    const args = ['--host', '127.0.0.1', '--port', String(port), '--chain-id', '31337']
    const child = new Child({ name: 'anvil', command: anvilBinary(), args, logFile, watched: false })
    await child.logged('Listening on', START_TIMEOUT_MS)
    return new Evm(child, `http://127.0.0.1:${port}`)
  }

  /** @throws {ConclaveError} EVM_ERROR with what the EVM said. */
  async call<T>(method: string, ...params: readonly unknown[]): Promise<T> {
    let body: { result?: T; error?: { message: string } }
    try {
      const response = await fetch(this.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', id: this.#id++, method, params }),
      })
      body = (await response.json()) as typeof body
    } catch (cause) {
      throw new ConclaveError('EVM_ERROR', `${method}: ${messageOf(cause)}`, { cause })
    }
    if (body.error !== undefined) throw new ConclaveError('EVM_ERROR', `${method}: ${body.error.message}`)
    return body.result as T
  }

  async balance(address: string): Promise<bigint> {
    return BigInt(await this.call<string>('eth_getBalance', address, 'latest'))
  }

  /** A transfer of the EVM's own funds. */
  async fund(address: string, wei: bigint): Promise<void> {
    const [from] = await this.call<string[]>('eth_accounts')
    await this.#blockOf(await this.call<string>('eth_sendTransaction', { from, to: address, value: `0x${wei.toString(16)}` }))
  }

  /** The exact bytes of an unsigned EIP-1559 transfer, with the sender's next nonce and today's fee. */
  async transfer({ from, to, valueWei }: { from: string; to: string; valueWei: bigint }): Promise<string> {
    const nonce = BigInt(await this.call<string>('eth_getTransactionCount', from, 'latest'))
    const gasPrice = BigInt(await this.call<string>('eth_gasPrice'))
    return unsignedTransfer({ to, valueWei, nonce, gasPriceWei: gasPrice })
  }

  /** Sends a signed transaction and gives its block. @throws {ConclaveError} EVM_ERROR when it was not mined with success. */
  async mine(signed: string): Promise<{ readonly hash: string; readonly block: number }> {
    const hash = await this.call<string>('eth_sendRawTransaction', signed)
    return { hash, block: await this.#blockOf(hash) }
  }

  /** The block of a transaction that was sent. @throws {ConclaveError} EVM_ERROR when it failed. */
  async #blockOf(hash: string): Promise<number> {
    // Sent is not mined: the receipt comes a moment later.
    let receipt: { status: string; blockNumber: string } | null = null
    const mined = async () => {
      receipt = await this.call<typeof receipt>('eth_getTransactionReceipt', hash)
      return receipt !== null
    }
    await until(mined, { timeoutMs: MINE_TIMEOUT_MS, what: `transaction ${hash} to be mined` })
    const { status, blockNumber } = receipt as unknown as { status: string; blockNumber: string }
    if (status !== '0x1') throw new ConclaveError('EVM_ERROR', `transaction ${hash} was not mined with success`)
    return Number(blockNumber)
  }

  async stop(): Promise<void> {
    await this.#child.stop()
  }
}
