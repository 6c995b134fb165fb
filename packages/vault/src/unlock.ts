import { Pkcs11Hsm } from './pkcs11-hsm.ts'
import { checkHsmSettings, type HsmSettings } from './settings.ts'

/** An HSM that a person has logged in to, in an agent of this process. */
export interface AttendedHsm {
  readonly tokenSerial: string
  /** Gives the PIN to the agent of a node that waits for it: from agent to agent, through no other process. */
  handOver(pinSocket: string): Promise<void>
}

/**
 * Asks for the PIN on the terminal and logs in once, whatever the settings say of where the PIN comes from. It is the one login that may
 * use a token's last try; when it succeeds, the token counts anew.
 *
 * @throws {ConfigError} BAD_HSM_SETTINGS
 * @throws {VaultError} PIN_NEEDED without a terminal; PIN_INCORRECT, PIN_LOCKED; TOKEN_LOST, MODULE_MISSING, KEY_*
 */
export async function withAttendedHsm<T>(settings: HsmSettings, act: (hsm: AttendedHsm) => Promise<T>): Promise<T> {
  checkHsmSettings(settings)
  const hsm = new Pkcs11Hsm({ ...settings, pin: { prompt: true }, pinSocket: undefined }, { isAttended: true })
  try {
    await hsm.askPin()
    const { tokenSerial } = await hsm.describe()
    return await act({ tokenSerial, handOver: (pinSocket) => hsm.handOver(pinSocket) })
  } finally {
    await hsm.close()
  }
}
