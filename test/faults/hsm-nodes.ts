import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readSettings } from '@conclave/node'
import type { LocalCluster } from '@conclave/testnet'
import { type HsmSettings, openPkcs11Vault, parseRecord } from '@conclave/vault'
import { providerToken, stopProvider } from '@conclave/vault/providers'

/** Which HSMs the nodes of a cluster have, in order of priority. Every node has a SoftHSM, which holds its identity. */
export type HsmPlan = readonly ['softhsm'] | readonly ['softhsm', 'nss'] | readonly ['tpm', 'softhsm']

/** A node, and its first HSM. */
export interface HsmNode {
  readonly name: string
  readonly dir: string
  readonly primary: HsmSettings
  /** Where the provider of another HSM than SoftHSM has its files. */
  readonly providerHome: string | undefined
}

const SETTINGS = 'node.yaml'

export const nodeAt = (dir: string, name: string, [first, second]: HsmPlan): HsmNode => {
  const other = [first, second].find((provider) => provider !== 'softhsm')
  const [primary] = readSettings(join(dir, SETTINGS)).hsms
  return { name, dir, primary: primary as HsmSettings, providerHome: other === undefined ? undefined : join(dir, other) }
}

/** The key of the store was sealed when the node had one HSM. */
async function sealStoreKeyToAll(dir: string): Promise<void> {
  const { hsms, identityHsm } = readSettings(join(dir, SETTINGS))
  const file = join(dir, 'store.key')
  const record = Uint8Array.from(await readFile(file))
  const vault = await openPkcs11Vault({ hsms, identity: { hsm: identityHsm } })
  try {
    const { context } = parseRecord(record)
    using key = await vault.open(context, record)
    await writeFile(file, await vault.seal(context, key.bytes))
  } finally {
    await vault.close()
  }
}

/** Ends the daemons that {@link equipNodes} started. */
export function stopProviders(cluster: LocalCluster, plan: HsmPlan): void {
  const other = plan.find((provider) => provider !== 'softhsm')
  if (other !== undefined) for (const name of cluster.names) stopProvider(join(cluster.dirOf(name), other))
}

/** Gives every node of a new cluster the HSMs of the plan, beside the SoftHSM that its operator made. */
export async function equipNodes(cluster: LocalCluster, plan: HsmPlan): Promise<void> {
  const other = plan.find((provider) => provider !== 'softhsm')
  if (other === undefined) return
  for (const name of cluster.names) {
    const dir = cluster.dirOf(name)
    const { settings, provisioned } = await providerToken(other, dir)
    const added = { ...settings, name: other, serial: provisioned.tokenSerial.trim() === '' ? undefined : provisioned.tokenSerial }
    const file = join(dir, SETTINGS)
    const text = await readFile(file, 'utf8')
    // JSON is YAML, and leaves out what is undefined.
    const entry = `  - ${JSON.stringify(added)}\n`
    const placed = plan[0] === 'softhsm' ? text.replace(/^p2p:/m, `${entry}p2p:`) : text.replace(/^hsm:\n/m, `hsm:\n${entry}`)
    await writeFile(file, `${placed}identity: { hsm: primary }\n`)
    await sealStoreKeyToAll(dir)
  }
}
