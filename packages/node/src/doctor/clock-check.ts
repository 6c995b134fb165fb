import type { CheckedPeer } from '../checkup.ts'
import { type CheckResult, check, type Finding, finding, type Known } from './finding.ts'

const WARN_MS = 500
const FAR_MS = 2_000

/** What the peers' clocks say, told over links that their identity keys opened. */
export function clockFindings(peers: readonly CheckedPeer[]): readonly (Finding | undefined)[] {
  const measured = peers.flatMap(({ name, word }) => (word !== null && typeof word === 'object' ? [{ name, ...word }] : []))
  const middle = median(measured.map((m) => m.offsetMs))
  // When most peers are off to one side, it is this clock and not theirs.
  const off = measured.filter((m) => beyond(m.offsetMs, m.roundTripMs) !== undefined).map((m) => m.offsetMs > 0)
  const isOurs = measured.length >= 2 && [true, false].some((side) => off.filter((o) => o === side).length * 2 > measured.length)
  const sync = 'timedatectl set-ntp true'
  if (isOurs) {
    const code = beyond(middle, 0) === 'far' ? 'CLOCK_FAR' : 'CLOCK_OFFSET'
    return [finding(code, 'clock', `this clock is ${ahead(-middle)} most peers' clocks`, `${sync} (or start chrony) on this machine`)]
  }
  return measured.map(({ name, offsetMs, roundTripMs }) => {
    const how = beyond(offsetMs, roundTripMs)
    if (how === undefined) return undefined
    const code = how === 'far' ? 'PEER_CLOCK_FAR' : 'PEER_CLOCK_OFFSET'
    return finding(
      code,
      name,
      `the clock of ${name} is ${ahead(offsetMs)} this one`,
      `ask the operator of ${name}: ${sync}; with one peer only, look at both machines`,
    )
  })
}

/** Beyond what the round trip explains. */
function beyond(offsetMs: number, roundTripMs: number): 'far' | 'off' | undefined {
  const sure = Math.abs(offsetMs) - roundTripMs / 2
  return sure > FAR_MS ? 'far' : sure > WARN_MS ? 'off' : undefined
}

const ahead = (ms: number): string => `${Math.abs(Math.round(ms))} ms ${ms >= 0 ? 'ahead of' : 'behind'}`

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

/** @param synchronised - what the system says of its own clock. */
export function checkClock(peers: Known<readonly CheckedPeer[]>, synchronised: Known<boolean>): readonly CheckResult[] {
  return [
    check('clock against the peers', peers, clockFindings),
    check('clock synchronised', synchronised, (ok) => [
      ok
        ? undefined
        : finding(
            'CLOCK_NOT_SYNCHRONISED',
            'clock',
            'the system says that its clock is not synchronised',
            'timedatectl set-ntp true, or start chrony',
          ),
    ]),
  ]
}
