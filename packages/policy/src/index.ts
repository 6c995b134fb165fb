export { RULE_LIST_MAX } from './amount-schema.ts'
export * from './approval.ts'
export {
  type ApprovalRule,
  type Approver,
  type ApproverKey,
  describeMissing,
  meetsApprovals,
  type Passkey,
  type Requester,
} from './approver.ts'
export { type BitcoinAddresses, bitcoinAddresses } from './bitcoin-address.ts'
export type { BreachCode, PolicyRequest } from './conditions.ts'
export { ABI_CHARS_MAX, type AbiPlace, type ContractAbi, parseAbi } from './contract-abi.ts'
export * from './decode-context.ts'
export * from './decoded-payload.ts'
export { ABI_FILES_MAX, type DecodingSettings, decodingSettings, loadDecoding, withPaths } from './decoding-settings.ts'
export { type Drill, decodeDrill, encodeDrill } from './drill.ts'
export * from './evaluate.ts'
export * from './evm-address.ts'
export * from './evm-assemble.ts'
export {
  ACCESS_LIST_ADDRESSES_MAX,
  ACCESS_LIST_KEYS_MAX,
  type AccessListEntry,
  type DecodedEvmTransaction,
  EVM_TX_BYTES_MAX,
  type EvmTransactionFields,
} from './evm-transaction.ts'
export { WINDOW_MS_MAX } from './limit-schema.ts'
export { type Limit, plusSpends, type Spend, type SpendHistory, type SpendQuery, spendOf } from './limits.ts'
export { evaluateLayered, type LayeredPolicy, parseOverlay } from './overlay.ts'
export { ASSERTION_SIGNATURE_BYTES_MAX, type Assertion, AUTHENTICATOR_DATA_BYTES_MAX, CLIENT_DATA_BYTES_MAX } from './passkey.ts'
export { matchesPath, parsePathPattern } from './path-pattern.ts'
export type { Amount, Destination, PayloadDigest, PayloadFacts } from './payload-facts.ts'
export * from './policy.ts'
export { policyChanges, policyLines } from './policy-diff.ts'
export { POLICY_CHARS_MAX, parsePolicy } from './policy-file.ts'
export { RULES_MAX } from './policy-schema.ts'
export { formatPolicySignatures, type PolicySignatures, parsePolicySignatures } from './policy-signatures.ts'
export { type CedarPolicy, cedarPolicy, preparePolicy } from './prepared-policy.ts'
export { type DecodedPsbt, PSBT_BYTES_MAX, PSBT_INPUTS_MAX, PSBT_OUTPUTS_MAX } from './psbt.ts'
export { assemblePsbt, type SignedPsbt } from './psbt-assemble.ts'
export * from './request.ts'
export * from './signed-policy.ts'
export { STATEMENT_DIGESTS_MAX, type Statement, type StatementDigest, type StatementItem } from './statement.ts'
export * from './statement-bytes.ts'
export * from './summary.ts'
