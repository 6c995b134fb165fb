import { readFile } from 'node:fs/promises'
import {
  type Clock,
  type ClusterLock,
  ConfigError,
  codeOf,
  type IdentitySigner,
  parseLock,
  type Random,
  systemClock,
  systemRandom,
  verifyLock,
} from '@conclave/core'
import { loadDecoding } from '@conclave/policy'
import { libp2pTransport, type Transport } from '@conclave/transport'
import { type Logger, pino } from 'pino'
import { Admission } from './admission.ts'
import { startApi } from './api-server.ts'
import { ClusterView } from './cluster-view.ts'
import type { Database } from './database/database.ts'
import { openDatabase } from './database/open.ts'
import { readIdentityFile } from './identity-file.ts'
import { KeyDirectory } from './key-directory.ts'
import { KeyDriver } from './key-driver.ts'
import { KeyNotes } from './key-notes.ts'
import { NodeCalls } from './node-calls.ts'
import { nodeEvents } from './node-events.ts'
import { Notices } from './notices.ts'
import { openObserving } from './observing.ts'
import { Records } from './record-store.ts'
import { Replica } from './replica.ts'
import { Schedules } from './schedule.ts'
import { runSchedules } from './scheduler.ts'
import type { CoordinatorSettings } from './settings.ts'
import { SigningDriver } from './signing-driver.ts'
import { Takeover } from './takeover.ts'
import { sharedController } from './wait.ts'

/** What the transport is made from when it is not given. */
export interface TransportParts {
  readonly lock: ClusterLock
  /** Name in the lock. */
  readonly self: string
  readonly signer: IdentitySigner
  readonly listen: readonly string[]
  readonly logger: Logger
}

export interface CoordinatorOptions {
  readonly settings: CoordinatorSettings
  /** libp2p by default. */
  readonly transport?: Transport | ((parts: TransportParts) => Transport | Promise<Transport>)
  readonly clock?: Clock
  readonly random?: Random
  /** That of the settings by default, which is closed at the stop; this one is not. */
  readonly database?: Database
  /** Standard output by default. Never given an API key or an Authorization header. */
  readonly logger?: Logger
}

export interface Coordinator {
  /** Of the HTTP API, with the port that was bound. */
  readonly url: string
  /** Where nodes may dial it, without peer id. */
  readonly addresses: readonly string[]
  /** Takes no new requests, and resolves when those that sign have ended, at the latest after the `drainMs` of the settings. */
  drain(): Promise<void>
  /** Ends long polls and attempts, closes links and store. Open requests stay open for the next start. Safe to call twice. */
  stop(): Promise<void>
}

async function readLock(file: string): Promise<ClusterLock> {
  let value: unknown
  try {
    value = JSON.parse(await readFile(file, 'utf8'))
  } catch (cause) {
    throw new ConfigError('LOCK_UNREADABLE', `cannot read the cluster lock ${file}`, { file }, cause)
  }
  const lock = parseLock(value)
  verifyLock(lock)
  return lock
}

async function readAbi(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new ConfigError('ABI_UNREADABLE', `cannot read the ABI ${file}`, { file }, cause)
  }
}

/** Whoever cannot say that it leaves is not heard of any more, and that is enough. */
async function leave(replica: Replica, logger: Logger): Promise<void> {
  try {
    await replica.release()
  } catch (error) {
    logger.warn({ code: codeOf(error) }, 'left without a word to the database')
  }
}

/** Opens the database and begins a lease on it; both end with `startup`. @throws {StoreError}. */
async function joinDatabase(
  { settings, database: given }: CoordinatorOptions,
  { random, logger }: { random: Random; logger: Logger },
  startup: AsyncDisposableStack,
) {
  const database = given ?? (await openDatabase(settings.store))
  if (given === undefined) startup.defer(() => database.close())
  const replica = new Replica({ database, name: settings.coordinator.name, random, leaseMs: settings.store.leaseMs })
  await replica.enrol()
  startup.defer(() => leave(replica, logger))
  const records = new Records(database, replica)
  startup.defer(() => records.settled())
  const notices = new Notices(database)
  startup.defer(() => notices.close())
  return { database, replica, records, notices }
}

async function makeTransport(options: CoordinatorOptions, lock: ClusterLock, logger: Logger): Promise<Transport> {
  const { settings, transport } = options
  if (transport !== undefined && typeof transport !== 'function') return transport
  const { name, identity } = settings.coordinator
  if (!lock.coordinators.some((c) => c.name === name))
    throw new ConfigError('NOT_A_MEMBER', `coordinator ${name} is not in the cluster lock`)
  const parts = { lock, self: name, signer: await readIdentityFile(identity.file), listen: settings.p2p.listen, logger }
  if (transport !== undefined) return await transport(parts)
  return libp2pTransport(parts)
}

interface Draining {
  readonly admission: Admission
  readonly signingDriver: SigningDriver
  readonly logger: Logger
  readonly withinMs: number
}

async function drain({ admission, signingDriver, logger, withinMs }: Draining): Promise<void> {
  const open = () => Object.fromEntries(signingDriver.open())
  admission.close()
  logger.info({ open: open() }, 'draining: no new requests are taken')
  await signingDriver.quiet(withinMs)
  logger.info({ open: open() }, 'drained')
}

/**
 * Starts a coordinator: store, links to the nodes, drivers of everything that was left open, HTTP API.
 *
 * @throws {ConfigError} METRICS_LISTEN, LOCK_UNREADABLE, ABI_UNREADABLE, BAD_ABI, BAD_LOCK, LOCK_UNSIGNED, NOT_A_MEMBER, the identity file's codes, LISTEN_FAILED.
 * {@link StoreError} STORE_LOCKED, STORE_DAMAGED. Nothing is left running then.
 */
export async function startCoordinator(input: CoordinatorSettings | CoordinatorOptions): Promise<Coordinator> {
  const options: CoordinatorOptions = 'settings' in input ? input : { settings: input }
  const { settings, clock = systemClock, random = systemRandom, logger = pino({ name: 'coordinator' }) } = options
  const lock = await readLock(settings.cluster.lock)
  const decoding = await loadDecoding(settings.decoding, readAbi)
  const transport = await makeTransport(options, lock, logger)
  const controller = sharedController()
  await using startup = new AsyncDisposableStack()
  startup.defer(() => controller.abort())
  const { database, replica, records, notices } = await joinDatabase(options, { random, logger }, startup)

  const stopping = controller.signal
  const observing = startup.adopt(await openObserving(settings, logger), (o) => o.close())
  const { metrics, tracer } = observing
  const calls = new NodeCalls(transport, clock)
  const view = new ClusterView({ lock, calls, clock, logger, signal: stopping, links: () => transport.links() })
  const directory = await KeyDirectory.load({ records, view, notices, logger })
  const schedules = await Schedules.load({ records, directory, notices, clock, logger })
  const shared = { view, calls, records, notices, replica, directory, schedules, clock, logger, stopping }
  const { creationTimeoutMs: timeoutMs, renewalTimeoutMs } = settings.keys
  const keyDriver = new KeyDriver({ ...shared, random, timeoutMs, renewalTimeoutMs })
  const signingDriver = new SigningDriver({ ...shared, metrics, settings: settings.signing })
  const admission = new Admission(records, metrics)
  const keyNotes = new KeyNotes(database)
  startup.defer(() => schedules.settled())
  startup.defer(() => directory.settled())
  startup.defer(async () => {
    controller.abort()
    await Promise.all([keyDriver.drained(), signingDriver.drained()])
  })
  startup.defer(() => transport.stop())
  await transport.start(nodeEvents({ view, calls, logger }))
  const takeover = new Takeover({ ...shared, signingDriver, keyDriver, leaseMs: settings.store.leaseMs })
  await takeover.beat()
  void view.watch()
  const background = [takeover.run(), runSchedules({ ...shared, keyNotes, admission, driver: keyDriver, random })]
  startup.defer(async () => {
    controller.abort()
    await Promise.all(background)
  })

  const parts = { ...shared, lock, random, transport, admission, keyDriver, signingDriver, decoding, database, keyNotes, metrics, tracer }
  const url = await startApi(parts, settings, startup, () => controller.abort())
  await observing.watch({ lock, view, directory, admission, signingDriver })
  logger.info({ url, coordinator: settings.coordinator.name, nodes: lock.nodes.length }, 'coordinator started')
  const running = startup.move()
  let stopped: Promise<void> | undefined
  return {
    url,
    addresses: transport.addresses(),
    drain: () => drain({ admission, signingDriver, logger, withinMs: settings.shutdown.drainMs }),
    stop: () => {
      stopped ??= running.disposeAsync()
      return stopped
    },
  }
}
