import type { AuditEvent } from '@conclave/core'
import { expect } from 'chai'
import { DENIAL_EVERY_MS, DENIALS_MAX, RECENT_MAX, VerdictJournal } from './verdict-journal.ts'

describe('verdict journal', () => {
  let events: AuditEvent[]
  let nowMs: number
  let isRefusing: boolean
  let journal: VerdictJournal

  beforeEach(() => {
    events = []
    nowMs = 0
    isRefusing = false
    const record = async (event: AuditEvent) => {
      if (isRefusing) throw new Error('no disk')
      events.push(event)
    }
    journal = new VerdictJournal({ record }, { nowMs: () => nowMs, after: () => () => undefined })
  })

  const verdict = (kind: 'allowed' | 'denied', i: number, rule = 'r', statement = 's'): AuditEvent => ({
    kind: `request.${kind}`,
    details: { requestId: String(i), statement, code: kind, rule, reason: '' },
  })

  it('the same verdict again: is not recorded again; another one on the same request is', async () => {
    for (const rule of ['r', 'r', 's', 'r']) await journal.record(verdict('allowed', 1, rule))
    expect(events.map((e) => e.details.rule)).to.deep.equal(['r', 's'])
    // Of another statement, as under another policy.
    await journal.record(verdict('allowed', 1, 'r', 't'))
    expect(events).to.have.length(3)
  })

  it('a verdict that could not be recorded: is tried again, and not taken for recorded meanwhile', async () => {
    isRefusing = true
    for (let i = 0; i < 2; i++) expect(await journal.record(verdict('allowed', 1)).catch((e: Error) => e.message)).to.equal('no disk')
    isRefusing = false
    await journal.record(verdict('allowed', 1))
    expect(events).to.have.length(1)
  })

  it('a flood of denials: is recorded as far as there is room, and then counted', async () => {
    for (let i = 0; i < DENIALS_MAX + 7; i++) await journal.record(verdict('denied', i))
    expect(events).to.have.length(DENIALS_MAX)
    // What is allowed is never left out, and tells of those that were.
    await journal.record(verdict('allowed', 1))
    expect(events.at(-1)?.details.unrecordedDenials).to.equal(7)
    nowMs += DENIAL_EVERY_MS
    await journal.record(verdict('denied', 100_000))
    await journal.record(verdict('denied', 100_001))
    expect(events).to.have.length(DENIALS_MAX + 2)
    expect(events.at(-1)?.details).to.not.have.property('unrecordedDenials')
  })

  it('what is remembered: is bounded', async () => {
    for (let i = 0; i <= RECENT_MAX; i++) await journal.record(verdict('allowed', i))
    await journal.record(verdict('allowed', 0))
    expect(events).to.have.length(RECENT_MAX + 2)
  })
})
