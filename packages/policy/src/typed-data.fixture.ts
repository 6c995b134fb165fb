import { canonicalJson, type JsonValue, utf8 } from '@conclave/core'

/** The example of EIP-712 itself, whose digest the EIP states. */
export const MAIL = {
  types: {
    EIP712Domain: [
      { name: 'name', type: 'string' },
      { name: 'version', type: 'string' },
      { name: 'chainId', type: 'uint256' },
      { name: 'verifyingContract', type: 'address' },
    ],
    Person: [
      { name: 'name', type: 'string' },
      { name: 'wallet', type: 'address' },
    ],
    Mail: [
      { name: 'from', type: 'Person' },
      { name: 'to', type: 'Person' },
      { name: 'contents', type: 'string' },
    ],
  },
  primaryType: 'Mail',
  domain: { name: 'Ether Mail', version: '1', chainId: 1, verifyingContract: '0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC' },
  message: {
    from: { name: 'Cow', wallet: '0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826' },
    to: { name: 'Bob', wallet: '0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB' },
    contents: 'Hello, Bob!',
  },
} as const
export const MAIL_DIGEST = 'be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2'

/** ERC-2612: `spender` may take `value` units of the contract's token. */
export function permit(spender: string, value: string) {
  const fields = ['owner:address', 'spender:address', 'value:uint256', 'nonce:uint256', 'deadline:uint256']
  const Permit = fields.map((f) => f.split(':') as [string, string]).map(([name, type]) => ({ name, type }))
  const message = { owner: MAIL.message.from.wallet, spender, value, nonce: 0, deadline: '1767225600' }
  return { types: { EIP712Domain: MAIL.types.EIP712Domain, Permit }, primaryType: 'Permit', domain: MAIL.domain, message }
}

export const typedBytes = (typed: unknown): Uint8Array => utf8(canonicalJson(typed as JsonValue))
