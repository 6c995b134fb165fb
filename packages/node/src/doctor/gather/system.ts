import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import type { HsmSettings } from '@conclave/vault'
import { type Known, known, unknown } from '../finding.ts'
import type { ProcessFacts } from '../process-check.ts'

const COMMAND_TIMEOUT_MS = 5_000
const OUTPUT_BYTES_MAX = 64 * 1024

/** What a tool of the system prints; unknown when it is not there or fails. */
export function outputOf(command: string, args: readonly string[]): Promise<Known<string>> {
  return new Promise((resolve) => {
    execFile(command, [...args], { timeout: COMMAND_TIMEOUT_MS, maxBuffer: OUTPUT_BYTES_MAX }, (error, stdout) => {
      if (error === null) resolve(known(stdout))
      else resolve(unknown(error.code === 'ENOENT' ? `${command} is not installed` : `${command} does not answer here`))
    })
  })
}

export async function gatherSynchronised(): Promise<Known<boolean>> {
  const shown = await outputOf('timedatectl', ['show', '--property=NTPSynchronized', '--value'])
  if (!shown.known) return shown
  const said = shown.value.trim()
  return said === 'yes' || said === 'no' ? known(said === 'yes') : unknown('timedatectl does not say')
}

/** Soft limit of core dumps in the words of /proc/<pid>/limits; Infinity for none. */
export function coreLimitIn(limits: string): number | undefined {
  const soft = /^Max core file size\s+(\S+)/m.exec(limits)?.[1]
  return soft === undefined ? undefined : soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft)
}

export async function gatherCoreLimit(pid: number): Promise<Known<number>> {
  const limits = await readFile(`/proc/${pid}/limits`, 'utf8').catch(() => '')
  const limit = coreLimitIn(limits)
  return limit === undefined ? unknown('the system does not show the limits of the node') : known(limit)
}

/** Devices and files in /proc/swaps; what lies in memory is none. */
export function swapsIn(text: string): readonly string[] {
  const lines = text.split('\n').slice(1)
  return lines.flatMap((line) => line.split(/\s+/)[0] ?? []).filter((device) => device.startsWith('/') && !device.startsWith('/dev/zram'))
}

export async function gatherClearSwap(): Promise<Known<readonly string[]>> {
  const text = await readFile('/proc/swaps', 'utf8').catch(() => undefined)
  if (text === undefined) return unknown('the system does not list its swap')
  const clear: string[] = []
  for (const device of swapsIn(text)) {
    const mapped = /^\/dev\/(dm-\d+)$/.exec(device)?.[1]
    const uuid = mapped === undefined ? '' : await readFile(`/sys/block/${mapped}/dm/uuid`, 'utf8').catch(() => '')
    if (!uuid.startsWith('CRYPT-')) clear.push(device)
  }
  return known(clear)
}

const pinVariables = (hsms: readonly HsmSettings[]): readonly string[] => hsms.flatMap(({ pin }) => ('env' in pin ? [pin.env] : []))

/** The running node as /proc shows it, to its own user. */
export async function gatherProcess(pid: number, hsms: readonly HsmSettings[]): Promise<Known<ProcessFacts>> {
  try {
    const environ = (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0')
    const args = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0')
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    return known({
      who: 'node',
      variables: new Set(environ.map((e) => e.slice(0, Math.max(0, e.indexOf('='))))),
      nodeOptions: environ.find((e) => e.startsWith('NODE_OPTIONS='))?.slice('NODE_OPTIONS='.length) ?? '',
      args,
      uid: Number(/^Uid:\s+(\d+)/m.exec(status)?.[1] ?? -1),
      pinVariables: pinVariables(hsms),
    })
  } catch {
    // Another user's process, or not Linux.
    return unknown('the system does not show the process of the node')
  }
}

/** This command: what a node that is started from here would have. */
export function ownProcess(hsms: readonly HsmSettings[]): ProcessFacts {
  return {
    who: 'this shell',
    variables: new Set(Object.keys(process.env)),
    nodeOptions: process.env.NODE_OPTIONS ?? '',
    args: process.execArgv,
    uid: process.getuid?.() ?? -1,
    pinVariables: pinVariables(hsms),
  }
}
