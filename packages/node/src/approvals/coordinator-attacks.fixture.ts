import { APPROVAL_ATTACKS } from './approval-attacks.fixture.ts'
import type { CoordinatorAttack } from './hostile-coordinator.fixture.ts'
import { POLICY_ATTACKS } from './policy-attacks.fixture.ts'
import { REQUEST_ATTACKS, SESSION_ATTACKS } from './request-attacks.fixture.ts'

export { HostileCoordinator } from './hostile-coordinator.fixture.ts'

/** As docs/spec/coordinator-attacks.md has them. */
export const COORDINATOR_ATTACKS: readonly CoordinatorAttack[] = [
  ...REQUEST_ATTACKS,
  ...SESSION_ATTACKS,
  ...APPROVAL_ATTACKS,
  ...POLICY_ATTACKS,
]
