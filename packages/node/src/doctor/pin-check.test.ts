import type { HsmInspection, InspectedPin } from '@conclave/vault'
import { expect } from 'chai'
import { known, unknown } from './finding.ts'
import { checkPin, checkPins, type PinFacts } from './pin-check.ts'
import { codesOf, findingsOf, HEALTHY, skippedIn } from './results.fixture.ts'

const FILE = { path: '/n/pin', mode: 0o400, uid: 1000 }
const FACTS: PinFacts = {
  hsm: 'primary',
  token: 'conclave-a',
  serial: 's1',
  source: { file: '/n/pin' },
  file: FILE,
  directory: { path: '/n', mode: 0o700, uid: 1000 },
  ownerUid: 1000,
}
const [TOKEN] = HEALTHY.tokens as readonly [HsmInspection['tokens'][number]]
const PIN = HEALTHY.pin.ok ? HEALTHY.pin.value : undefined
const pin = (change: Partial<InspectedPin>) =>
  known({ ...HEALTHY, pin: { ok: true as const, value: { ...(PIN as InspectedPin), ...change } } })
const token = (change: Partial<typeof TOKEN>) => known({ ...HEALTHY, tokens: [{ ...TOKEN, ...change }] })
const login = (code: string) => known({ ...HEALTHY, keys: { ok: false as const, code, why: 'why' } })
const codes = (inspection: Parameters<typeof checkPin>[1], change: Partial<PinFacts> = {}) =>
  codesOf(checkPin({ ...FACTS, ...change }, inspection))

describe('doctor: PINs', () => {
  it('PIN: a good one in a private file has no finding', () => {
    expect(codes(known(HEALTHY))).to.deep.equal([])
    expect(codes(known(HEALTHY), { source: { credential: 'pin' }, file: undefined, directory: undefined })).to.deep.equal([])
  })

  it('PIN source: from the environment, missing, of another user', () => {
    expect(codes(known(HEALTHY), { source: { env: 'HSM_PIN' } })).to.deep.equal(['PIN_IN_ENVIRONMENT'])
    expect(codes(known(HEALTHY), { file: undefined })).to.deep.equal(['PIN_SOURCE'])
    expect(codes(known(HEALTHY), { file: { ...FILE, uid: 1001 } })).to.deep.equal(['PIN_SOURCE'])
    expect(codes(pin({ refusal: 'not a regular file' }))).to.deep.equal(['PIN_SOURCE'])
  })

  it('PIN source: a file that others may read is said once, with the command', () => {
    const results = checkPin({ ...FACTS, file: { ...FILE, mode: 0o644 } }, pin({ refusal: 'can be read by others' }))
    expect(findingsOf(results).map((f) => [f.code, f.fix])).to.deep.equal([['PIN_FILE_MODE', 'chmod 0400 /n/pin']])
  })

  it('PIN source: a directory that others may write to, or look into', () => {
    const directory = (mode: number) => codes(known(HEALTHY), { directory: { path: '/n', mode, uid: 1000 } })
    expect(directory(0o777)).to.deep.equal(['PIN_DIRECTORY_WRITABLE'])
    expect(directory(0o1777)).to.deep.equal(['PIN_DIRECTORY_READABLE'])
    expect(directory(0o755)).to.deep.equal(['PIN_DIRECTORY_READABLE'])
  })

  it('PIN quality: default, short, of one kind, of the security officer, standing in a file or a process', () => {
    expect(codes(pin({ isDefault: true, isShort: true, isOneClass: true }))).to.deep.equal(['PIN_DEFAULT'])
    expect(codes(pin({ isShort: true }))).to.deep.equal(['PIN_SHORT'])
    expect(codes(pin({ isOneClass: true }))).to.deep.equal(['PIN_ONE_CLASS'])
    expect(codes(pin({ isSoPin: true }))).to.deep.equal(['PIN_IS_SO_PIN'])
    expect(codes(pin({ isSoPin: false }))).to.deep.equal([])
    expect(codes(pin({ heldBy: ['/n/node.yaml'] }))).to.deep.equal(['PIN_IN_FILE'])
    expect(codes(pin({ heldBy: ['/proc/7/environ'] }))).to.deep.equal(['PIN_IN_ENVIRONMENT'])
  })

  it('PIN counter: locked, at the last try, counted once', () => {
    expect(codes(token({ locked: true }))).to.deep.equal(['PIN_LOCKED'])
    expect(codes(token({ finalTry: true, countLow: true }))).to.deep.equal(['PIN_FINAL_TRY'])
    expect(codes(token({ countLow: true }))).to.deep.equal(['PIN_COUNT_LOW'])
    expect(codes(token({ label: 'other', locked: true }))).to.deep.equal([])
  })

  it('login: a refused PIN and a locked one', () => {
    expect(codes(login('PIN_INCORRECT'))).to.deep.equal(['PIN_INCORRECT'])
    expect(codes(login('PIN_LOCKED'))).to.deep.equal(['PIN_LOCKED'])
    expect(codes(login('TOKEN_LOST'))).to.deep.equal([])
  })

  it('PIN: what could not be read or tried is skipped by name', () => {
    expect(skippedIn(checkPin(FACTS, unknown('why')))).to.have.length(3)
    expect(skippedIn(checkPin(FACTS, login('NOT_TRIED')))).to.deep.equal(['login (primary)'])
    const elsewhere = known({ ...HEALTHY, pin: { ok: false as const, code: 'PIN_ELSEWHERE', why: 'why' } })
    expect(skippedIn(checkPin(FACTS, elsewhere))).to.deep.equal(['PIN quality (primary)'])
  })

  it('PINs: one PIN for two tokens, and the PIN of the security officer left behind', () => {
    const two = (a: string, b: string) =>
      new Map([
        ['primary', a],
        ['backup', b],
      ])
    expect(codesOf(checkPins({ fingerprints: two('x', 'y'), soPinFiles: [] }))).to.deep.equal([])
    expect(codesOf(checkPins({ fingerprints: two('x', 'x'), soPinFiles: [FILE] }))).to.deep.equal(['PIN_SHARED', 'SO_PIN_PRESENT'])
    expect(skippedIn(checkPins({ fingerprints: new Map(), soPinFiles: [] }))).to.deep.equal(['PINs of several tokens'])
  })
})
