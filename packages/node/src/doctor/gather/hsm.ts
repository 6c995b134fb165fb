import { open, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type HsmSettings, parseRecord } from '@conclave/vault'
import { type Known, known, unknown } from '../finding.ts'
import type { ModuleFacts, SoftHsmFacts } from '../module-check.ts'
import type { PinFacts } from '../pin-check.ts'
import type { StoreKeyFacts } from '../redundancy-check.ts'
import { exists, fileFacts, textOf } from './files.ts'
import { outputOf } from './system.ts'

/** e_machine of ELF, in the words of process.arch. */
const MACHINES: Readonly<Record<number, string>> = {
  3: 'ia32',
  40: 'arm',
  62: 'x64',
  183: 'arm64',
  243: 'riscv64',
  22: 's390x',
  21: 'ppc64',
}
const ELF_HEADER_BYTES = 20

/** What a library is for, as its ELF header says; `other` for what is no ELF file. Undefined where libraries are not ELF. */
async function machineOf(path: string): Promise<string | undefined> {
  if (process.platform !== 'linux') return undefined
  try {
    const file = await open(path, 'r')
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(ELF_HEADER_BYTES), 0, ELF_HEADER_BYTES, 0)
      if (bytesRead < ELF_HEADER_BYTES || buffer.readUInt32BE(0) !== 0x7f454c46) return 'no machine: it is no library'
      const machine = buffer[5] === 2 ? buffer.readUInt16BE(18) : buffer.readUInt16LE(18)
      return MACHINES[machine] ?? `machine ${machine}`
    } finally {
      await file.close()
    }
  } catch {
    // Not there or not readable: loading it will say so.
    return undefined
  }
}

async function softHsmFacts(env: HsmSettings['env']): Promise<SoftHsmFacts> {
  const conf = env?.SOFTHSM2_CONF ?? process.env.SOFTHSM2_CONF
  const text = conf === undefined ? undefined : await textOf(conf)
  const tokenDir = /^\s*directories\.tokendir\s*=\s*(.+?)\s*$/m.exec(text ?? '')?.[1]
  const version = await outputOf('softhsm2-util', ['--version'])
  return {
    conf,
    confReadable: text !== undefined,
    tokenDir,
    tokenDirThere: tokenDir !== undefined && (await exists(tokenDir)),
    version: version.known ? version.value.trim() : undefined,
  }
}

export async function gatherModule({ name, module, env }: HsmSettings): Promise<ModuleFacts> {
  return {
    hsm: name,
    path: module,
    file: await fileFacts(module),
    machine: await machineOf(module),
    ownMachine: process.arch,
    softHsm: /softhsm/i.test(module) ? await softHsmFacts(env) : undefined,
  }
}

export async function gatherPin({ name, token, serial, pin }: HsmSettings, ownerUid: number): Promise<PinFacts> {
  const path = 'file' in pin ? pin.file : undefined
  return {
    hsm: name,
    token,
    serial,
    source: pin,
    file: path === undefined ? undefined : await fileFacts(path),
    directory: path === undefined ? undefined : await fileFacts(dirname(path)),
    ownerUid,
  }
}

/** Where a ceremony leaves the PIN of the security officer: beside the settings, and beside each PIN. */
export function soPinPaths(dir: string, hsms: readonly HsmSettings[]): readonly string[] {
  const dirs = hsms.flatMap(({ pin }) => ('file' in pin ? [dirname(pin.file)] : []))
  return [...new Set([dir, ...dirs])].map((d) => join(d, 'so-pin'))
}

/** @param serials - of the HSMs, by name: of the settings, or as found. */
export async function gatherStoreKey(file: string, serials: ReadonlyMap<string, string>): Promise<Known<StoreKeyFacts>> {
  try {
    const { recipients } = parseRecord(new Uint8Array(await readFile(file)))
    const hsms = [...serials].map(([name, serial]) => ({ name, serial }))
    return known({ file, sealedTo: recipients.map((r) => r.tokenSerial), hsms })
  } catch {
    // That it is missing is said elsewhere; that it is damaged, by the node's start.
    return unknown(`${file} is not there, or is no sealed record`)
  }
}
