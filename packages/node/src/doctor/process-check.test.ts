import { expect } from 'chai'
import { known, unknown } from './finding.ts'
import { checkProcess, type ProcessFacts, type SystemFacts } from './process-check.ts'
import { codesOf, skippedIn } from './results.fixture.ts'

const PROCESS: ProcessFacts = {
  who: 'node',
  variables: new Set(['PATH']),
  nodeOptions: '',
  args: ['node', 'main.ts'],
  uid: 1000,
  pinVariables: ['HSM_PIN'],
}
const FACTS: SystemFacts = {
  process: known(PROCESS),
  coreLimit: known(0),
  clearSwap: known([]),
  adminSocket: { path: '/n/admin.sock', mode: 0o600, uid: 1000 },
  silence: undefined,
}
const codes = (change: Partial<SystemFacts>) => codesOf(checkProcess({ ...FACTS, ...change }))
const process = (change: Partial<ProcessFacts>) => codes({ process: known({ ...PROCESS, ...change }) })

describe('doctor: process and machine', () => {
  it('process: a plain one is no finding', () => {
    expect(codes({})).to.deep.equal([])
    expect(codes({ adminSocket: undefined })).to.deep.equal([])
  })

  it('environment: session keys dumped, a debugger, a PIN, root', () => {
    expect(process({ variables: new Set(['DUMP_SESSION_KEYS']) })).to.deep.equal(['SESSION_KEYS_DUMPED'])
    expect(process({ nodeOptions: '--trace-warnings --inspect=0.0.0.0:9229' })).to.deep.equal(['DEBUGGER_OPEN'])
    expect(process({ args: ['node', '--inspect-brk', 'main.ts'] })).to.deep.equal(['DEBUGGER_OPEN'])
    expect(process({ args: ['node', '--inspected', 'main.ts'] })).to.deep.equal([])
    expect(process({ variables: new Set(['HSM_PIN']) })).to.deep.equal(['PIN_IN_ENVIRONMENT'])
    expect(process({ uid: 0 })).to.deep.equal(['RUNS_AS_ROOT'])
  })

  it('machine: core dumps, swap in clear, a socket that is open to others, a node that does not answer', () => {
    expect(codes({ coreLimit: known(Number.POSITIVE_INFINITY) })).to.deep.equal(['CORE_DUMPS'])
    expect(codes({ clearSwap: known(['/swapfile']) })).to.deep.equal(['SWAP_IN_CLEAR'])
    expect(codes({ adminSocket: { path: '/n/admin.sock', mode: 0o660, uid: 1000 } })).to.deep.equal(['ADMIN_SOCKET_MODE'])
    expect(codes({ silence: 'no answer in time' })).to.deep.equal(['NODE_SILENT'])
  })

  it('machine: what the system does not show is skipped by name', () => {
    const none = unknown('why')
    expect(skippedIn(checkProcess({ ...FACTS, process: none, coreLimit: none, clearSwap: none }))).to.deep.equal([
      'environment',
      'core dumps',
      'swap',
    ])
  })
})
