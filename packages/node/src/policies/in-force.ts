import { type LayeredPolicy, type Policy, policyHash, preparePolicy } from '@conclave/policy'

/** What a node obeys at one moment; nothing changes it. */
export interface PolicyInForce extends LayeredPolicy {
  /** Of `policy`: 32 bytes. The overlay is the node's own affair, and in no statement. */
  readonly hash: Uint8Array
}

/** Whoever asks for the policy asks again for every request. */
export interface Policies {
  readonly present: PolicyInForce
}

/** No request waits for the engine to read them. @throws {ConfigError} BAD_POLICY: the engine refuses a rule. */
export function inForce(policy: Policy, overlay?: Policy): PolicyInForce {
  preparePolicy(policy)
  if (overlay !== undefined) preparePolicy(overlay)
  return { policy, overlay, hash: policyHash(policy) }
}

/** Of a cluster whose authors have signed nothing yet. */
export const NO_POLICY: Policy = { version: 1, sequence: 1, rules: [] }
