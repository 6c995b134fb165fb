export { type ClientOptions, ConclaveClient, type Idempotent } from './client.ts'
export { ConclaveApiError, type NodeVerdict, type Problem } from './problem.ts'
export type * from './resources.ts'
export { type TypedData, typedDataPayload } from './typed-data.ts'
