import { toHex } from '@conclave/core'
import { expect } from 'chai'
import fc from 'fast-check'
import { evaluate } from './evaluate.ts'
import { policyHash } from './policy.ts'
import { parsePolicy } from './policy-file.ts'
import { isWithin, isZone, WEEKDAYS } from './time-windows.ts'

const at = Date.parse
const RAW = new Uint8Array(32)

/** A policy that allows bare digests at these times. */
const policyAt = (times: string, effect = 'allow') =>
  parsePolicy(`{version: 1, sequence: 1, rules: [
    {name: always, effect: allow, when: {payload: raw, keys: [k2]}},
    {name: timed, effect: ${effect}, when: {payload: raw, times: [${times}]}}
  ]}`)
const windowOf = (time: string) => {
  const [window] = policyAt(time).rules[1]?.when.times ?? []
  if (window === undefined) throw new Error('no window')
  return window
}
const digest = {
  type: 'raw',
  digests: [{ digest: RAW, path: undefined }],
  summary: [],
  chainId: undefined,
  destinations: undefined,
} as const
const payload = { ...digest, changePaths: [], amounts: [], feeMax: 0n, call: 'blind', method: undefined, digest: RAW } as const
const codeAt = (policy: ReturnType<typeof policyAt>, nowMs: number | undefined, keyId = 'k1') =>
  evaluate(policy, { keyId, path: [], payload: payload as never, nowMs }).code

describe('time windows', () => {
  it('time windows: the first minute is inside and the last one is not', () => {
    const office = windowOf(`{zone: UTC, days: [mon, fri], from: "09:00", to: "17:30"}`)
    // 2026-11-20 is a Friday.
    expect(isWithin(office, at('2026-11-20T08:59:59.999Z'))).equal(false)
    expect(isWithin(office, at('2026-11-20T09:00:00.000Z'))).equal(true)
    expect(isWithin(office, at('2026-11-20T17:29:59.999Z'))).equal(true)
    expect(isWithin(office, at('2026-11-20T17:30:00.000Z'))).equal(false)
    expect(isWithin(office, at('2026-11-21T12:00:00.000Z'))).equal(false)
    expect(isWithin(office, at('2026-11-23T12:00:00.000Z'))).equal(true)
  })

  it('time windows: hours follow the wall clock through both changes of daylight saving', () => {
    const nine = windowOf(`{zone: Europe/Berlin, from: "09:00", to: "10:00"}`)
    for (const [utc, inside] of [
      ['2026-03-28T08:00:00Z', true],
      ['2026-03-28T07:00:00Z', false],
      ['2026-03-29T07:00:00Z', true],
      ['2026-03-29T08:00:00Z', false],
      ['2026-10-24T07:30:00Z', true],
      ['2026-10-25T08:30:00Z', true],
      ['2026-10-25T07:30:00Z', false],
    ] as const)
      expect(isWithin(nine, at(utc)), utc).equal(inside)
  })

  it('time windows: an hour that is skipped has no instant, and one that comes twice is inside twice', () => {
    const two = windowOf(`{zone: Europe/Berlin, from: "02:00", to: "03:00"}`)
    const minutesInside = (from: string) => {
      let count = 0
      for (let m = 0; m < 24 * 60; m++) if (isWithin(two, at(from) + m * 60_000)) count++
      return count
    }
    expect(minutesInside('2026-03-28T12:00:00Z'), 'spring').equal(0)
    expect(minutesInside('2026-06-28T12:00:00Z'), 'summer').equal(60)
    expect(minutesInside('2026-10-24T12:00:00Z'), 'autumn').equal(120)
    // Lord Howe Island moves its clocks by half an hour.
    const howe = windowOf(`{zone: Australia/Lord_Howe, from: "02:00", to: "02:30"}`)
    const inside = (from: string) => Array.from({ length: 1440 }, (_, m) => isWithin(howe, at(from) + m * 60_000)).filter(Boolean).length
    expect([inside('2026-10-03T03:00:00Z'), inside('2026-10-10T03:00:00Z')]).deep.equal([0, 30])
  })

  it('time windows: the weekday is that of the place', () => {
    const monday = windowOf('{zone: Pacific/Auckland, days: [mon]}')
    expect(isWithin(monday, at('2026-11-22T11:00:00Z'))).equal(true)
    expect(isWithin(monday, at('2026-11-23T11:00:00Z'))).equal(false)
    expect(isWithin(windowOf('{zone: Pacific/Honolulu, days: [sun]}'), at('2026-11-23T09:59:59Z'))).equal(true)
  })

  it('time windows: at any instant, in any zone, exactly one weekday and one hour hold', () => {
    const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'America/St_Johns')
    const instants = fc.integer({ min: at('2020-01-01T00:00:00Z'), max: at('2040-01-01T00:00:00Z') })
    fc.assert(
      fc.property(zones, instants, (zone, ms) => {
        const days = WEEKDAYS.filter((day) => isWithin({ zone, days: [day], fromMinute: 0, toMinute: 1440 }, ms))
        const hours = Array.from({ length: 24 }, (_, h) => h).filter((h) =>
          isWithin({ zone, days: WEEKDAYS, fromMinute: h * 60, toMinute: (h + 1) * 60 }, ms),
        )
        expect([days.length, hours.length]).deep.equal([1, 1])
      }),
    )
  })

  it('time windows: an allow rule holds in any of its windows and says so when in none', () => {
    const policy = policyAt(`{zone: UTC, days: [sat], from: "10:00"}, {zone: UTC, days: [sun], to: "10:00"}`)
    expect(codeAt(policy, at('2026-11-21T10:00:00Z'))).equal('ALLOWED')
    expect(codeAt(policy, at('2026-11-22T09:59:00Z'))).equal('ALLOWED')
    expect(codeAt(policy, at('2026-11-21T09:59:00Z'))).equal('TIME_NOT_ALLOWED')
    expect(codeAt(policy, at('2026-11-22T10:00:00Z'))).equal('TIME_NOT_ALLOWED')
  })

  it('time windows: a deny rule denies in its windows, and whenever the time is not known', () => {
    const policy = policyAt('{zone: UTC, days: [sat, sun]}', 'deny')
    expect(codeAt(policy, at('2026-11-21T10:00:00Z'), 'k2')).equal('POLICY_DENY_RULE')
    expect(codeAt(policy, at('2026-11-20T10:00:00Z'), 'k2')).equal('ALLOWED')
    expect(codeAt(policy, undefined, 'k2')).equal('CLOCK_NOT_SURE')
    const rules = [...policy.rules, { name: 'no', effect: 'deny', when: {} } as const]
    expect(codeAt({ ...policy, rules }, undefined, 'k2'), 'whatever the time is').equal('POLICY_DENY_RULE')
  })

  it('time windows: who is not sure of the time is allowed only what does not depend on it', () => {
    const policy = policyAt('{zone: UTC, from: "00:01"}')
    expect(codeAt(policy, undefined)).equal('CLOCK_NOT_SURE')
    expect(codeAt(policy, undefined, 'k2')).equal('ALLOWED')
    expect(codeAt(policy, Number.NaN)).equal('POLICY_ERROR')
    expect(codeAt(policy, 9e15)).equal('POLICY_ERROR')
  })

  it('time windows: a zone is a name that is known', () => {
    for (const zone of ['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+1', 'Asia/Kolkata'])
      expect(isZone(zone), zone).equal(true)
    for (const zone of ['', '+01:00', '-05', 'Europe/Berlim', 'Europe/', '../UTC', 'UTC ', 'Mars/Base', 'a/b/c/d'])
      expect(isZone(zone), zone).equal(false)
  })

  it('time windows: the hash knows their meaning and not their layout', () => {
    const hash = (times: string) => toHex(policyHash(policyAt(times)))
    const stated = '{zone: UTC, days: [sun, mon, tue, wed, thu, fri, sat], from: "09:00", to: "24:00"}'
    expect(hash('{zone: UTC, from: "09:00"}')).equal(hash(stated))
    const others = ['{zone: UTC, to: "09:00"}', '{zone: Etc/GMT, from: "09:00"}', '{zone: UTC, days: [mon], from: "09:00"}']
    expect(new Set([...others, '{zone: UTC, from: "09:01"}', stated].map(hash)).size).equal(5)
  })

  it('time windows: what is not complete or not possible is refused at its line', () => {
    for (const [time, message] of [
      ['{days: [mon]}', /must state "zone"/],
      ['{zone: UTC}', /must state "days", "from" or "to"/],
      ['{zone: CEST2, from: "09:00"}', /IANA name/],
      ['{zone: UTC, days: []}', /empty list/],
      ['{zone: UTC, days: [mon, mon]}', /twice/],
      ['{zone: UTC, days: [Monday]}', /"days" is a list of mon/],
      ['{zone: UTC, from: 9}', /quoted/],
      ['{zone: UTC, from: "9:00"}', /quoted/],
      ['{zone: UTC, to: "24:01"}', /quoted/],
      ['{zone: UTC, from: "22:00", to: "06:00"}', /two times/],
      ['{zone: UTC, from: "09:00", to: "09:00"}', /two times/],
      ['{zone: UTC, from: "09:00", until: "10:00"}', /unknown field "until"/],
      ['', /empty list/],
    ] as const)
      expect(() => policyAt(time), time).throw(new RegExp(`^policy:3: .*${message.source}`))
  })
})
