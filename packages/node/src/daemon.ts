import { readFile } from 'node:fs/promises'
import { type ClusterLock, ConfigError, messageOf, type NodeMember, parseLock, systemClock, verifyLock } from '@conclave/core'
import { loadDecoding, type Policy, parseOverlay, parsePolicy } from '@conclave/policy'
import { checkRuntime, type Logger, libp2pTransport, mustProve } from '@conclave/transport'
import { type KeyVault, openPkcs11Vault } from '@conclave/vault'
import { pino } from 'pino'
import { adminRoutes, readinessRoute } from './admin.ts'
import { type AdminRoute, type AdminServer, openAdminServer } from './admin-server.ts'
import { memberOf } from './adopt-lock.ts'
import { approvalRoutes } from './approvals/approval-routes.ts'
import type { AuditParts } from './audit/node-audit.ts'
import { openAudit } from './audit/open-audit.ts'
import { backupRoutes } from './backup/backup-routes.ts'
import { drillRoutes } from './drill/drill-routes.ts'
import { freezeRoutes } from './freeze/freeze-routes.ts'
import { type NodeTelemetry, openTelemetry } from './metrics/node-telemetry.ts'
import { ApproverNode } from './node.ts'
import { VERSION } from './node-status.ts'
import { openPeerKey, PEER_KEY_FILE } from './peer-key.ts'
import { NO_POLICY } from './policies/in-force.ts'
import { policyRoutes } from './policies/policy-routes.ts'
import { processMeter } from './process-meter.ts'
import { receiptRoutes } from './receipts/receipt-routes.ts'
import { besideStore, STORE_KEY_FILE, sealedFiles, storeKeyContext } from './sealed-files.ts'
import { SessionPool } from './sessions/session-pool.ts'
import { ownThread } from './sessions/session-worker.ts'
import { type NodeSettings, readSettings } from './settings.ts'
import { LevelStore } from './store/level-store.ts'
import type { Store } from './store/store.ts'
import { boundYoungGeneration } from './young-generation.ts'

async function readText(file: string, code: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new ConfigError(code, `cannot read the ${what} ${file}`, { file }, cause)
  }
}

/** Reads and verifies a cluster lock. @throws {ConfigError} LOCK_UNREADABLE, BAD_LOCK, BAD_IDENTITY, LOCK_UNSIGNED. */
export async function readLock(file: string): Promise<ClusterLock> {
  const text = await readText(file, 'LOCK_UNREADABLE', 'cluster lock')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new ConfigError('BAD_LOCK', `the cluster lock ${file} is not JSON: ${messageOf(cause)}`, { file }, cause)
  }
  const lock = parseLock(value)
  verifyLock(lock)
  return lock
}

/** What this node's own files say. A file of its own is no policy where the lock names policy authors. */
async function readPolicies(
  { policyFile, overlayFile }: NodeSettings,
  { authors }: ClusterLock,
): Promise<{ readonly policy: Policy; readonly overlay: Policy | undefined }> {
  const read = (file: string) => readText(file, 'POLICY_UNREADABLE', 'policy')
  return {
    policy: authors === undefined ? parsePolicy(await read(policyFile), policyFile) : NO_POLICY,
    overlay: overlayFile === undefined ? undefined : parseOverlay(await read(overlayFile), overlayFile),
  }
}

/** Keys that the lock names need not be asked of an HSM that is away now. */
function openVault({ hsms, identityHsm }: NodeSettings, self: NodeMember | undefined, log: Logger): Promise<KeyVault> {
  for (const hsm of hsms)
    if ('env' in hsm.pin)
      log.warn({ hsm: hsm.name }, 'the PIN is in the environment of this process, where /proc shows it: for development only')
  const waits = (hsm: string) =>
    log.warn({ hsm }, `hsm "${hsm}" waits for its PIN: type it on the terminal of the node, or run "conclave hsm unlock --hsm ${hsm}"`)
  const identity = { hsm: identityHsm, key: self?.identity }
  return openPkcs11Vault({ hsms, identity, checkpointKeys: self?.checkpointKeys }, waits)
}

/** The database of a node that does not run. @throws {ConfigError} STORE_MISSING; {StoreError} STORE_LOCKED, STORE_CORRUPT; {VaultError}. */
export async function openStore(settings: NodeSettings, vault: KeyVault): Promise<Store> {
  const file = besideStore(settings, STORE_KEY_FILE)
  let record: Uint8Array
  try {
    record = new Uint8Array(await readFile(file))
  } catch (cause) {
    throw new ConfigError('STORE_MISSING', `cannot read ${file}: run "conclave node init" or restore it`, { file }, cause)
  }
  using key = await vault.open(storeKeyContext(settings.name), record)
  return LevelStore.open(settings.storePath, Uint8Array.from(key.bytes))
}

export interface RunningNode {
  readonly name: string
  stop(): Promise<void>
}

/** Everything that the operator may ask. */
function routesOf(node: ApproverNode): readonly AdminRoute[] {
  return [
    ...adminRoutes(node.admin),
    readinessRoute(node),
    ...approvalRoutes(node.approvals),
    ...freezeRoutes(node.freezes),
    ...receiptRoutes(node.receipts),
    ...policyRoutes(node.policies, node.trials),
    ...backupRoutes(node.backups),
    ...drillRoutes(node.drills),
  ]
}

/**
 * Starts a node from its settings file.
 *
 * @throws {ConfigError}, {VaultError}, {StoreError}, {TransportError}: each with a code and one clear line.
 */
export async function startNode(settingsFile: string): Promise<RunningNode> {
  checkRuntime()
  boundYoungGeneration()
  const settings = readSettings(settingsFile)
  const log = pino({ level: settings.logLevel, base: { node: settings.name } })
  const lock = await readLock(settings.lockFile)
  const { policy, overlay } = await readPolicies(settings, lock)
  const decoding = await loadDecoding(settings.decoding, (file) => readText(file, 'ABI_UNREADABLE', 'ABI'))
  const self = lock.nodes.find((n) => n.name === settings.name)
  const vault = await openVault(settings, self, log)
  let store: Store | undefined
  let pool: SessionPool | undefined
  let admin: AdminServer | undefined
  let audit: AuditParts | undefined
  let shown: NodeTelemetry | undefined
  try {
    store = await openStore(settings, vault)
    // A log of its own is begun by a member only.
    const member = memberOf(lock, settings.name, vault.identity.key)
    admin = await openAdminServer(settings.adminSocket, log)
    const { close: closeAdmin, serve } = admin
    audit = await openAudit(settings, lock, { vault, log })
    const { journal } = audit
    pool = new SessionPool({ near: ownThread() })
    const ownPeerKey = mustProve(member)
    const transport = libp2pTransport({
      lock,
      self: settings.name,
      signer: ownPeerKey ? await openPeerKey(vault, settings.name, besideStore(settings, PEER_KEY_FILE)) : vault.identity,
      identity: vault.identity,
      listen: settings.listen,
      logger: log,
      version: VERSION,
    })
    shown = await openTelemetry(settings, log)
    const { name, maxConcurrent, silenceTimeoutMs, waterMarks, abandonedKeys, backup, explicitActivation, clockSkewMaxMs } = settings
    const node = await ApproverNode.start({
      ...{ lock, name, vault, transport, store, pool, policy, overlay, decoding, log, maxConcurrent, silenceTimeoutMs, waterMarks },
      ...{ abandonedKeys, explicitActivation, backup, clockSkewMaxMs, clock: systemClock, meter: processMeter() },
      ...{ audit, shelves: sealedFiles(settings), ...shown.parts },
    })
    shown.serve(() => node.readiness())
    serve(routesOf(node))
    log.info({ listen: transport.addresses(), version: VERSION }, 'node is up')
    return {
      name,
      async stop() {
        await node.drain(settings.drainMs)
        await closeAdmin()
        await node.stop()
        await journal.close()
        await shown?.close()
        log.info('node stopped')
      },
    }
  } catch (error) {
    // What fails to close must not hide why the node did not start.
    await Promise.allSettled([shown?.close(), admin?.close(), pool?.close(), audit?.journal.close(), store?.close()])
    await Promise.allSettled([vault.close()])
    throw error
  }
}
