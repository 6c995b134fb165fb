import { parsePolicy } from '@conclave/policy'
import { ALLOWED } from '../cluster.fixture.ts'

/** Transfers to one address, within `limits`. */
export const limitedTo = (limits: string) =>
  parsePolicy(`version: 1
sequence: 2
rules:
  - name: pay
    effect: allow
    when: { chains: [31337], destinations: ['${ALLOWED}'], amountMaxWei: '1000', limits: [${limits}] }
`)
