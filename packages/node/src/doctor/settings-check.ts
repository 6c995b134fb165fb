import { type CheckResult, check, finding, type Known } from './finding.ts'

export interface SettingsText {
  readonly file: string
  readonly text: string
  /** Why they are not valid, if so: one line with the file and the place. */
  readonly problem: string | undefined
}

/** A PIN in the place of a reference to one, which is a map. */
const PIN_ITSELF = /(?:^|[\s{,])["']?pin["']?\s*:\s*(?![{#\s])\S/i

/** The settings file itself. */
export function checkSettings(settings: Known<SettingsText>): readonly CheckResult[] {
  return [
    check('settings', settings, ({ file, problem }) => [
      problem === undefined ? undefined : finding('SETTINGS_INVALID', file, problem, `correct ${file}`),
    ]),
    check('PINs in settings', settings, ({ file, text }) => {
      const lines = text.split('\n').flatMap((line, i) => (PIN_ITSELF.test(line.replace(/#.*/, '')) ? [i + 1] : []))
      return lines.map((line) =>
        finding(
          'PIN_IN_SETTINGS',
          `${file}:${line}`,
          'a PIN stands here instead of the place where it is',
          'pin: { file: pin }, the PIN in that file with mode 0400; and change the PIN',
        ),
      )
    }),
  ]
}
