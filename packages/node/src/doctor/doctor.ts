import { randomBytes } from 'node:crypto'
import { dirname, join, resolve } from 'node:path'
import { type ClusterLock, systemClock, toHex } from '@conclave/core'
import { type HsmInspection, type HsmSettings, inspectHsm } from '@conclave/vault'
import { SETTINGS_FILE } from '../init.ts'
import { VERSION } from '../node-status.ts'
import { STORE_KEY_FILE } from '../sealed-files.ts'
import type { NodeSettings } from '../settings.ts'
import { checkClock } from './clock-check.ts'
import { checkCluster, type OwnIdentity } from './cluster-check.ts'
import { checkDisk } from './disk-check.ts'
import { both, type CheckResult, type Known, known, type Report, reportOf, unknown } from './finding.ts'
import { gatherCluster, gatherNeighbours, gatherSettings, namedToken } from './gather/cluster.ts'
import { exists, fileFacts, gatherDisk, gatherStore, socketFacts } from './gather/files.ts'
import { gatherModule, gatherPin, gatherStoreKey, soPinPaths } from './gather/hsm.ts'
import { gatherListen, gatherReach } from './gather/network.ts'
import { gatherRunningNode, type RunningNodeFacts } from './gather/running-node.ts'
import { gatherClearSwap, gatherCoreLimit, gatherProcess, gatherSynchronised, ownProcess } from './gather/system.ts'
import { checkModule } from './module-check.ts'
import { checkNetwork, type Reach } from './network-check.ts'
import { checkPin, checkPins } from './pin-check.ts'
import { checkProcess } from './process-check.ts'
import { checkRedundancy } from './redundancy-check.ts'
import { checkSettings } from './settings-check.ts'
import { checkState } from './state-check.ts'
import { checkToken } from './token-check.ts'
import { checkTwins, withSerial } from './twin-check.ts'
import { checkVersions } from './version-check.ts'

export interface ExamineOptions {
  readonly dir: string
  /** Connects to no other machine. */
  readonly offline: boolean
}

/** What the parts of an examination share. */
interface Patient {
  readonly dir: string
  readonly offline: boolean
  readonly settings: Known<NodeSettings>
  readonly running: RunningNodeFacts
}

/**
 * Looks at a node's directory, its HSMs, its machine and, when it runs, the node itself. Changes nothing; logs in to each token once
 * at most. What could not be checked is in the report by name.
 */
export async function examine({ dir: given, offline }: ExamineOptions): Promise<Report> {
  const dir = resolve(given)
  const { text, settings } = await gatherSettings(dir)
  const stopped = unknown(settings.known ? '' : settings.why)
  const running = settings.known
    ? await gatherRunningNode(settings.value.adminSocket)
    : { status: stopped, checkup: stopped, silence: undefined }
  const patient: Patient = { dir, offline, settings, running }
  const inspections = settings.known ? await inspectAll(dir, settings.value, running) : new Map<string, Known<HsmInspection>>()
  return reportOf([
    ...checkSettings(text),
    ...(await hsmResults(patient, inspections)),
    ...(await clusterResults(patient, inspections)),
    ...(await machineResults(patient)),
  ])
}

function pidOf({ checkup }: RunningNodeFacts): number | undefined {
  return checkup.known ? checkup.value.pid : undefined
}

async function inspectAll(
  dir: string,
  { hsms, name, policyFile }: NodeSettings,
  running: RunningNodeFacts,
): Promise<Map<string, Known<HsmInspection>>> {
  const salt = randomBytes(32)
  const processes = [process.pid, pidOf(running) ?? process.pid].flatMap((pid) => [`/proc/${pid}/environ`, `/proc/${pid}/cmdline`])
  const files = [join(dir, SETTINGS_FILE), policyFile, ...new Set(processes)]
  const found = new Map<string, Known<HsmInspection>>()
  // One after the other: two HSMs of one node may share a device that takes few sessions.
  for (const hsm of hsms) {
    const soPin = await soPinBeside(hsm)
    const inspection = await inspectHsm(hsm, { names: [name, hsm.name, hsm.token], salt, soPin, files, login: true, clock: systemClock })
    found.set(hsm.name, known(inspection))
  }
  return found
}

async function soPinBeside({ pin }: HsmSettings): Promise<{ readonly file: string } | undefined> {
  if (!('file' in pin)) return undefined
  const file = join(dirname(pin.file), 'so-pin')
  return (await exists(file)) ? { file } : undefined
}

async function hsmResults(
  { dir, settings, running }: Patient,
  inspections: ReadonlyMap<string, Known<HsmInspection>>,
): Promise<readonly CheckResult[]> {
  const { status, checkup } = running
  const hsms = settings.known ? settings.value.hsms : []
  const ownerUid = (await fileFacts(dir))?.uid ?? 0
  const each = await Promise.all(
    hsms.map(async (hsm, i) => {
      const inspection = inspections.get(hsm.name) ?? unknown('it was not inspected')
      return [
        ...checkModule(await gatherModule(hsm), inspection),
        ...checkToken({ settings: hsm, holdsIdentity: i === 0 }, inspection),
        ...checkPin(await gatherPin(hsm, ownerUid), inspection),
      ]
    }),
  )
  const own = hsms.map((h) => withSerial(namedToken(h), inspections.get(h.name) ?? unknown('')))
  const fingerprints = [...inspections].flatMap(([name, i]) =>
    i.known && i.value.pin.ok ? [[name, i.value.pin.value.fingerprint] as const] : [],
  )
  const soPinFiles = await Promise.all(soPinPaths(dir, hsms).map(fileFacts))
  const serials = new Map(own.flatMap((o) => (o.serial === undefined ? [] : [[o.hsm, o.serial] as const])))
  return [
    ...(settings.known ? each.flat() : [{ check: 'HSMs', why: settings.why }]),
    ...checkPins({ fingerprints: new Map(fingerprints), soPinFiles: soPinFiles.filter((f) => f !== undefined) }),
    ...checkTwins(settings.known ? known(own) : settings, await gatherNeighbours(dir), checkup),
    ...checkRedundancy({
      dir,
      hsmCount: settings.known ? known(hsms.length) : settings,
      custodians: settings.known ? known(settings.value.backup?.custodians.length ?? 0) : settings,
      storeKey: settings.known ? await gatherStoreKey(join(dirname(settings.value.storePath), STORE_KEY_FILE), serials) : settings,
      hsms: checkup.known ? known(checkup.value.hsms) : checkup,
      status,
    }),
  ]
}

/** The identity as the running node has it, otherwise as its token does. */
function identityOf(
  { running: { checkup }, settings }: Patient,
  inspections: ReadonlyMap<string, Known<HsmInspection>>,
): Known<OwnIdentity> {
  if (checkup.known) return known({ publicKey: checkup.value.identity, from: 'the running node' })
  if (!settings.known) return settings
  const holder = settings.value.hsms[0]
  const inspection = inspections.get(holder?.name ?? '')
  if (holder === undefined || inspection?.known !== true) return unknown('no HSM was inspected')
  const { identity } = inspection.value
  return identity.ok ? known({ publicKey: toHex(identity.value.publicKey), from: `hsm "${holder.name}"` }) : unknown(identity.why)
}

async function reachOf(
  { settings, offline }: Patient,
  lock: Known<ClusterLock>,
  linked: ReadonlySet<string>,
): Promise<Known<readonly Reach[]>> {
  if (!settings.known) return settings
  if (!lock.known) return lock
  return offline ? unknown('--offline') : known(await gatherReach(lock.value, settings.value.name, linked))
}

async function clusterResults(patient: Patient, inspections: ReadonlyMap<string, Known<HsmInspection>>): Promise<readonly CheckResult[]> {
  const { dir, settings, running } = patient
  const { status, checkup } = running
  const facts = settings.known ? known(await gatherCluster(dir, settings.value)) : settings
  const lock = !facts.known ? facts : facts.value.lock.ok ? known(facts.value.lock.value) : unknown('there is no valid cluster lock')
  const peers = checkup.known ? known(checkup.value.peers) : checkup
  const linked = new Set(peers.known ? peers.value.filter((p) => p.isLinkUp).map((p) => p.name) : [])
  const reach = await reachOf(patient, lock, linked)
  const local = both(settings, lock)
  const name = settings.known ? settings.value.name : ''
  return [
    ...checkCluster(facts, identityOf(patient, inspections), status.known ? known(status.value.lock.hash) : status),
    ...checkNetwork({
      listen: settings.known ? await gatherListen(settings.value.listen) : settings,
      announced: !local.known
        ? local
        : known({ listen: local.value[0].listen, announced: local.value[1].nodes.find((n) => n.name === name)?.addresses ?? [] }),
      reach,
      checkup,
      required: lock.known ? known(lock.value.quorum.required) : lock,
    }),
    ...checkClock(peers, await gatherSynchronised()),
    ...checkVersions({
      runtime: process.versions.node,
      version: VERSION,
      running: status.known ? known(status.value.version) : status,
      peers,
    }),
  ]
}

async function machineResults({ dir, settings, running }: Patient): Promise<readonly CheckResult[]> {
  const { status, checkup, silence } = running
  const pid = pidOf(running)
  const hsms = settings.known ? settings.value.hsms : []
  const store = settings.known ? await gatherStore(dir, join(dir, SETTINGS_FILE), settings.value) : settings
  const path = store.known && store.value.storeThere ? store.value.storePath : dir
  const node = pid === undefined ? known(ownProcess(hsms)) : await gatherProcess(pid, hsms)
  return [
    ...checkDisk(
      settings.known ? await gatherDisk(path, path === dir ? join(dir, SETTINGS_FILE) : join(path, 'CURRENT')) : settings,
      store,
    ),
    ...checkState(
      status.known && checkup.known && settings.known
        ? known({ dir, status: status.value, upMs: checkup.value.upMs, highMark: settings.value.waterMarks.high })
        : unknown(!settings.known ? settings.why : !status.known ? status.why : !checkup.known ? checkup.why : ''),
    ),
    ...checkProcess({
      process: node,
      coreLimit: pid === undefined ? unknown('the node is not running: its limits are those of its service') : await gatherCoreLimit(pid),
      clearSwap: await gatherClearSwap(),
      adminSocket: settings.known ? await socketFacts(settings.value.adminSocket) : undefined,
      silence,
    }),
  ]
}
