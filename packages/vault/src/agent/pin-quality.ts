import { scryptSync, timingSafeEqual } from 'node:crypto'
import type { InspectedPin } from '../inspection.ts'

const SHORT_BYTES = 8
/** From here on digits alone are enough: 53 bits. */
const ONE_CLASS_BYTES = 16
const FINGERPRINT_BYTES = 32
/** Shorter words, port numbers for instance, are found everywhere. */
const WORD_BYTES_MIN = 6

/** What vendors ship and manuals print. */
const DEFAULTS = new Set([
  ...['changeit', 'changeme', 'conclave', 'cryptoki', 'default', 'letmein', 'pass', 'passw0rd', 'password', 'pin', 'qwerty', 'secret'],
  ...[
    'so-pin',
    'softhsm',
    'test',
    'testpin',
    'topsecret',
    'user',
    'userpin',
    '1111',
    '1234abcd',
    '12341234',
    '123123',
    '648219',
    '87654321',
  ],
  ...['987654321', '76287654', '11223344', '112233', 'abc123', 'abcd1234', 'fedcba', '123456abc', 'admin', 'admin123'],
])

const isRun = (pin: string): boolean => {
  const steps = new Set([...pin].slice(1).map((c, i) => c.charCodeAt(0) - pin.charCodeAt(i)))
  const [step = 0] = steps
  return steps.size <= 1 && Math.abs(step) <= 1
}

const CLASSES = [/[0-9]/, /[a-z]/, /[A-Z]/, /[^0-9a-zA-Z]/]

/** CloudHSM puts a user before the PIN, YubiHSM2 the id of its key. */
const partsOf = (pin: string): readonly string[] => [pin, pin.slice(pin.indexOf(':') + 1), pin.replace(/^[0-9a-f]{4}(?=[^0-9a-f])/i, '')]

/**
 * What is wrong with a PIN, as words about it.
 *
 * @param names - of the token and of the node: no PINs.
 */
export function judgePin(pin: Buffer, names: readonly string[]): Pick<InspectedPin, 'isDefault' | 'isShort' | 'isOneClass'> {
  const text = pin.toString('utf8')
  const known = new Set([...DEFAULTS, ...names.map((n) => n.toLowerCase())])
  const parts = partsOf(text)
  return {
    isDefault: parts.some((p) => p.length > 0 && (known.has(p.toLowerCase()) || isRun(p))),
    isShort: parts.some((p) => p.length < SHORT_BYTES),
    isOneClass: pin.length < ONE_CLASS_BYTES && CLASSES.filter((c) => c.test(text)).length === 1,
  }
}

/** The same for the same PIN under one salt, and slow, because PINs are short. Hex. */
export function fingerprint(pin: Buffer, salt: Uint8Array): string {
  return scryptSync(pin, salt, FINGERPRINT_BYTES).toString('hex')
}

export function samePin(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

/** Whether `text` holds the PIN as a word of its own; a shorter one than six bytes is not looked for. */
export function holdsPin(text: Buffer, pin: Buffer): boolean {
  if (pin.length < WORD_BYTES_MIN) return false
  const isWord = (byte: number | undefined) => byte !== undefined && /[0-9A-Za-z]/.test(String.fromCharCode(byte))
  for (let at = text.indexOf(pin); at >= 0; at = text.indexOf(pin, at + 1)) {
    if (!isWord(text[at - 1]) && !isWord(text[at + pin.length])) return true
  }
  return false
}
