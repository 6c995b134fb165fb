import { ConclaveClient, toConclavePsbtSigner } from '@conclave/client'

interface Order {
  /** Of the coordinator. */
  readonly url: string
  readonly apiKey: string
  readonly keyId: string
  /** Base64, as any wallet library writes it. */
  readonly psbt: string
}

/** A PSBT of any wallet library, signed by the cluster: the transaction when nobody else has to sign, else the PSBT for the next one. */
export async function signPsbt({ url, apiKey, keyId, psbt }: Order): Promise<{ transaction: string } | { psbt: string }> {
  const signer = toConclavePsbtSigner({ client: new ConclaveClient({ url, apiKey }), keyId })
  const signed = await signer.signPsbt(psbt)
  return signed.transaction === null ? { psbt: signed.psbt } : { transaction: signed.transaction }
}
