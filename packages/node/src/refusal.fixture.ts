import { codeOf } from '@conclave/core'
import { expect } from 'chai'

/** The code with which `act` fails. */
export async function refusal(act: () => unknown): Promise<string> {
  try {
    await act()
  } catch (error) {
    return codeOf(error)
  }
  return expect.fail('it did not fail')
}
