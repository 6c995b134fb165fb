import { readFileSync } from 'node:fs'
import { CONFORMANCE_CONTEXT as CONTEXT, CONFORMANCE_SECRET as SECRET } from './conformance.ts'
import { openPkcs11Vault } from './pkcs11-vault.ts'
import type { Pkcs11VaultSettings } from './settings.ts'

// A node's main process in small: opens a vault, uses it, reports over its IPC channel, and stays until it is killed.

const settings = JSON.parse(process.argv[2]!) as Pkcs11VaultSettings
try {
  const vault = await openPkcs11Vault(settings)
  using _ = await vault.open(CONTEXT, await vault.seal(CONTEXT, SECRET))
  process.send!({ modules: readFileSync('/proc/self/maps', 'utf8').match(/softhsm|pkcs11/g)?.length ?? 0 })
} catch (error) {
  process.send!({ code: (error as { code: string }).code })
}
setInterval(() => undefined, 1_000_000)
