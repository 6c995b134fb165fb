import { existsSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { type Clock, codeOf, systemClock } from '@conclave/core'
import { expect } from 'chai'
import { AgentProcess } from './agent-process.ts'
import { refusal } from './conformance.ts'
import type { WrappedKey } from './hsm.ts'
import { ManualClock } from './manual-clock.fixture.ts'
import { KEK_LABEL } from './pkcs11-hsm.ts'
import {
  agentPid,
  hasAgent,
  isRunning,
  provisionSoftHsm,
  SOFTHSM_MISSING,
  type SoftHsm,
  softHsm,
  temporaryDirectory,
  until,
} from './softhsm-rig.fixture.ts'

describe(`agent process, SoftHSM2${SOFTHSM_MISSING === undefined ? '' : ` (skipped: ${SOFTHSM_MISSING})`}`, () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>
  let hsm: SoftHsm
  const agents: AgentProcess[] = []

  before(async function () {
    if (SOFTHSM_MISSING !== undefined) this.skip()
    directory = await temporaryDirectory()
    hsm = await softHsm(directory.path, 'primary')
    await provisionSoftHsm(hsm)
  })

  after(() => directory?.remove())

  afterEach(async () => {
    // With a clock that stands still, close waits for the agent itself.
    await Promise.all(agents.splice(0).map((a) => a.close()))
    expect(hasAgent(hsm)).to.equal(false)
  })

  function agent(clock: Clock, change: { module?: string } = {}): AgentProcess {
    const settings = {
      ...hsm.settings,
      serial: undefined,
      libraryParameters: undefined,
      profile: undefined,
      kekLabel: KEK_LABEL,
      kekId: undefined,
      ...change,
    }
    const made = new AgentProcess({
      settings,
      env: hsm.settings.env!,
      requestTimeoutMs: clock === systemClock ? 30_000 : 1000,
      startTimeoutMs: 30_000,
      clock,
    })
    agents.push(made)
    return made
  }

  /** Makes the agent hang, and the request with it; resolves once the timeout has killed it. */
  async function hang(process_: AgentProcess, clock: ManualClock): Promise<string> {
    await process_.request('ping', null)
    const pid = agentPid(hsm)
    process.kill(pid, 'SIGSTOP')
    const refused = refusal(process_.request('ping', null))
    // The request is sent, and its timer set, in the turn after this one at the latest.
    await new Promise(setImmediate)
    clock.advance(1000)
    const { code } = await refused
    await until(() => !isRunning(pid))
    return code
  }

  it('request: nothing is started before it is needed', async () => {
    agent(systemClock)
    expect(hasAgent(hsm)).to.equal(false)
  })

  it('request: answers come to those who asked', async () => {
    const a = agent(systemClock)
    const lengths = Array.from({ length: 50 }, (_, i) => i + 1)
    expect((await Promise.all(lengths.map((n) => a.request('random', n)))).map((r) => r.length)).to.deep.equal(lengths)
  })

  it('request: what is asked for together is answered each by itself', async () => {
    const a = agent(systemClock)
    const { tokenSerial, kekId } = await a.request('describe', null)
    const aad = new Uint8Array(20).fill(3)
    const deks = [1, 2, 3].map((i) => new Uint8Array(32).fill(i))
    const keys = await Promise.all(deks.map((dek) => a.request('wrap', { aad, dek })))
    const [first, second, third] = keys as [WrappedKey, WrappedKey, WrappedKey]
    expect(first).to.deep.include({ tokenSerial, kekId })
    const unwrap = (key: WrappedKey) => a.request('unwrap', { aad, key })
    const [one, tampered, random, three, missing] = await Promise.allSettled([
      unwrap(first),
      unwrap({ ...second, wrapped: second.wrapped.with(0, (second.wrapped[0] as number) ^ 1) }),
      a.request('random', 7),
      unwrap(third),
      unwrap({ ...second, tokenSerial: 'another' }),
    ])
    expect(one).to.deep.include({ status: 'fulfilled', value: deks[0] })
    expect(three).to.deep.include({ status: 'fulfilled', value: deks[2] })
    expect(random.status === 'fulfilled' && random.value.length).to.equal(7)
    expect([tampered, missing].map((o) => o?.status === 'rejected' && codeOf(o.reason))).to.deep.equal(['TAMPER', 'KEY_MISSING'])
    // The agent goes on, whatever was refused.
    expect(await unwrap(second)).to.deep.equal(deks[1])
  })

  it('request: a timeout also fails what waited behind it', async () => {
    const clock = new ManualClock()
    const a = agent(clock)
    await a.request('ping', null)
    process.kill(agentPid(hsm), 'SIGSTOP')
    const refused = [1, 2, 3].map(() => refusal(a.request('ping', null)))
    await new Promise(setImmediate)
    clock.advance(1000)
    expect((await Promise.all(refused)).map((e) => [e.code, e.retriable])).to.deep.equal(Array(3).fill(['TIMEOUT', true]))
  })

  it('request: the first restart is immediate, later ones wait longer each, and meanwhile requests fail at once', async () => {
    const clock = new ManualClock()
    const a = agent(clock)
    expect(await hang(a, clock)).to.equal('TIMEOUT')
    // An answer in between starts the count anew, so only failures in a row wait.
    expect(await hang(a, clock)).to.equal('TIMEOUT')
    for (const waitMs of [100, 200]) {
      const starting = refusal(a.request('ping', null))
      await until(() => hasAgent(hsm))
      process.kill(agentPid(hsm), 'SIGKILL')
      expect((await starting).code).to.equal('AGENT_DIED')
      await until(() => !hasAgent(hsm))
      clock.advance(waitMs - 1)
      expect((await refusal(a.request('ping', null))).code).to.equal('AGENT_DIED')
      expect(hasAgent(hsm)).to.equal(false)
      clock.advance(1)
    }
    await a.request('ping', null)
  })

  it('request: a start that fails is not repeated in a hurry either', async () => {
    const clock = new ManualClock()
    const a = agent(clock, { module: '/nowhere/libhsm.so' })
    for (const _ of [1, 2]) expect((await refusal(a.request('ping', null))).code).to.equal('MODULE_MISSING')
    const waiting = refusal(a.request('ping', null))
    await new Promise(setImmediate)
    expect(hasAgent(hsm)).to.equal(false)
    expect((await waiting).code).to.equal('MODULE_MISSING')
  })

  it('request: an agent whose token stays lost for 5 s makes way for another, which finds it again', async () => {
    const clock = new ManualClock()
    const a = agent(clock)
    const aad = new Uint8Array(8)
    const key = await a.request('wrap', { aad, dek: new Uint8Array(32) })
    const unwrap = () => refusal(a.request('unwrap', { aad, key }))
    const pid = agentPid(hsm)
    await rename(hsm.tokens, `${hsm.tokens}.away`)
    try {
      for (const waitMs of [0, 4999, 1]) {
        expect(agentPid(hsm)).to.equal(pid)
        clock.advance(waitMs)
        // Two that travel in one message count like one.
        const refused = await Promise.all([unwrap(), unwrap()])
        expect(refused.map((e) => e.code)).to.deep.equal(['TOKEN_LOST', 'TOKEN_LOST'])
      }
      await until(() => !hasAgent(hsm))
    } finally {
      await rename(`${hsm.tokens}.away`, hsm.tokens)
    }
    await a.request('ping', null)
    expect(agentPid(hsm)).not.to.equal(pid)
  })

  it('request: more than can wait are BUSY at once', async () => {
    const a = agent(systemClock)
    const outcomes = await Promise.allSettled(Array.from({ length: 1200 }, () => a.request('ping', null)))
    const refused = outcomes.flatMap((o) => (o.status === 'rejected' ? [(o.reason as { code: string }).code] : []))
    expect(new Set(refused)).to.deep.equal(new Set(['BUSY']))
    expect(refused.length).to.be.within(1, 200)
  })

  it('close: leaves no process, also when the agent hangs', async () => {
    const clock = new ManualClock()
    const a = agent(clock)
    await a.request('ping', null)
    const pid = agentPid(hsm)
    process.kill(pid, 'SIGSTOP')
    const closed = a.close()
    await new Promise(setImmediate)
    clock.advance(3000)
    await closed
    expect(existsSync(`/proc/${pid}`)).to.equal(false)
    expect((await refusal(a.request('ping', null))).code).to.equal('CLOSED')
  })
})
