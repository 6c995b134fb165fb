export * from './backup-messages.ts'
export * from './codec.ts'
export * from './messages.ts'
export type { Field, MessageField, ValueOf } from './schema.ts'
