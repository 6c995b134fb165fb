import { tagged, toHex, utf8 } from '@conclave/core'
import type { SignedPolicy } from '@conclave/policy'
import { ADA, BEN, CEM, EVE, payText, signedPolicy } from '../policies/authors.fixture.ts'
import { type CoordinatorAttack, type HostileCoordinator, POLICY_SEQUENCE } from './hostile-coordinator.fixture.ts'
import { peopleText, person } from './people.fixture.ts'

/** One that would let everything through that the attacks ask for, and takes requests that nobody signed. */
const generous = (sequence = POLICY_SEQUENCE + 1) => payText(sequence, 1_000_000_000)

const signed = (h: HostileCoordinator, by: Parameters<typeof signedPolicy>[1]['by'], text = generous()): SignedPolicy =>
  signedPolicy(text, { by, clusterId: h.cluster.lock.clusterId })

/** With the policy itself. */
export const POLICY_ATTACKS: readonly CoordinatorAttack[] = [
  { name: 'policy that nobody signed', code: 'POLICY_TOO_FEW_AUTHORS', run: (h) => h.bringPolicy(signed(h, [])) },
  { name: 'policy signed by too few', code: 'POLICY_TOO_FEW_AUTHORS', run: (h) => h.bringPolicy(signed(h, [ADA])) },
  { name: 'policy signed by one author twice', code: 'POLICY_AUTHOR_TWICE', run: (h) => h.bringPolicy(signed(h, [ADA, ADA])) },
  { name: 'policy signed by who is no author', code: 'POLICY_UNKNOWN_AUTHOR', run: (h) => h.bringPolicy(signed(h, [ADA, EVE])) },
  {
    name: 'policy signed in the name of an author',
    code: 'POLICY_SIGNATURE',
    run: (h) => h.bringPolicy(signed(h, [ADA, person('ben', 'another key')])),
  },
  {
    name: 'policy for another cluster',
    code: 'POLICY_SIGNATURE',
    run: (h) => h.bringPolicy(signedPolicy(generous(), { clusterId: toHex(tagged('another cluster')) })),
  },
  {
    name: 'policy changed after it was signed',
    code: 'POLICY_SIGNATURE',
    run: (h) => h.bringPolicy({ ...signed(h, [ADA, BEN], payText(POLICY_SEQUENCE + 1, 1)), text: utf8(generous()) }),
  },
  {
    name: 'old policy under a new sequence',
    code: 'POLICY_SIGNATURE',
    run: (h) => h.bringPolicy({ ...signed(h, [ADA, BEN], generous(3)), sequence: POLICY_SEQUENCE + 1 }),
  },
  {
    name: 'policy of before',
    code: 'POLICY_ROLLED_BACK',
    run: (h) => h.bringPolicy(signed(h, [ADA, BEN], generous(POLICY_SEQUENCE - 1))),
  },
  {
    name: 'second policy of one sequence',
    code: 'POLICY_FORKED',
    run: (h) => h.bringPolicy(signed(h, [BEN, CEM], generous(POLICY_SEQUENCE))),
  },
  {
    // The last one: it leaves another policy in force.
    name: 'signers under two policies',
    code: 'SESSION_SILENT',
    run: async (h) => {
      const { cluster } = h
      const next = signed(h, [ADA, BEN], peopleText(POLICY_SEQUENCE + 1))
      // Neither hears that the other has another policy, nor that it has stopped.
      cluster.tamper.set('n1', (_to, body) => ('policies' in body || 'end' in body ? undefined : body))
      cluster.tamper.set('n2', (_to, body) => ('end' in body ? undefined : body))
      await cluster.node('n1').policies.submit(next)
      const said = await h.attempt(h.asked())
      for (const name of ['n1', 'n2']) cluster.tamper.delete(name)
      await cluster.node('n2').policies.submit(next)
      return said
    },
  },
]
