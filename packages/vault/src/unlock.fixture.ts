import { codeOf } from '@conclave/core'
import type { HsmSettings } from './settings.ts'
import { withAttendedHsm } from './unlock.ts'

// Logs in with a PIN that is typed. Argument: the settings of the HSM, JSON.

try {
  const serial = await withAttendedHsm(JSON.parse(process.argv[2]!) as HsmSettings, async ({ tokenSerial }) => tokenSerial)
  process.stdout.write(`logged in to ${serial}\n`)
} catch (error) {
  process.stdout.write(`refused: ${codeOf(error)}\n`)
  process.exitCode = 1
}
