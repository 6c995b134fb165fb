import { tagged, utf8 } from '@conclave/core'

/** One line of what a person is shown before approving. Both halves are printable ASCII. */
export interface SummaryLine {
  readonly label: string
  readonly value: string
}

/** The hash of what a person is shown: the type of the payload and every line in its order. 32 bytes. */
export function summaryHash(payloadType: string, summary: readonly SummaryLine[]): Uint8Array {
  return tagged('summary', utf8(payloadType), ...summary.flatMap(({ label, value }) => [utf8(label), utf8(value)]))
}
