/** One session of two parties that signs three digests; party 3 attacks the second. */
import { concat, type PartyId, u32 } from '@conclave/core'
import { decode, SignCommit, SignOpen, SignVole } from '@conclave/wire'
import type { KeyPublic, KeyShare } from '../key.ts'
import { echoHash } from '../protocol.ts'
import { itemId, type SignItem, type SignRequest, signSid } from '../sign-request.ts'
import { CLUSTER_CONTEXT, runSign, type SignOptions, testRequest } from './cluster.ts'
import { committee, keyOf } from './committee.ts'
import { allOf, edit, type recorder, slotOf, type Tamper } from './run.ts'
import { sha256 } from './verify.fixture.ts'

export const TWO: readonly PartyId[] = [1, 3]
export const SEED = 'batch'
export const COUNT = 3
/** The item that is attacked. */
export const AT = 1
export const PATHS = [[], [0, 7], []] as const
export const messageOf = (i: number): Uint8Array => u32(i)
export const ITEMS: readonly SignItem[] = PATHS.map((path, i) => ({ digest: sha256(messageOf(i)), path }))
export const keyPublic = (): KeyPublic => (keyOf(2, 3).shares.get(1) as KeyShare).public
export const request = (): SignRequest => testRequest(TWO, { items: ITEMS })
export const sid = (): Uint8Array => signSid(CLUSTER_CONTEXT, keyPublic(), request())
export const idAt = (i: number): Uint8Array => itemId(sid(), i, COUNT)

export const run = (options: SignOptions = {}): ReturnType<typeof runSign> => runSign(committee(2, 3, TWO), request(), SEED, options)

const VOLE = { number: 2, message: SignVole } as const
const OPEN = { number: 3, message: SignOpen } as const

/** Each party's echoes are what the other expects, when party 3 has said `commitments` to party 1 and something else is what it holds. */
export function seenAs(said: ReturnType<typeof recorder>, commitments: readonly Uint8Array[]): Tamper {
  const own = decode(SignVole, said.sent.get(slotOf(2, 3, 1)) as Uint8Array).echo
  const theirs = decode(SignCommit, said.sent.get(slotOf(1, 1, 3)) as Uint8Array).commitments
  const echo = echoHash(
    'sign-echo',
    sid(),
    new Map([
      [1, concat(...theirs)],
      [3, concat(...commitments)],
    ]),
  )
  const to = (from: PartyId, value: Uint8Array) =>
    allOf(
      edit(
        VOLE,
        (m) => m.from === from,
        (m) => ({ ...m, echo: value }),
      ),
      edit(
        OPEN,
        (m) => m.from === from,
        (m) => ({ ...m, echo: value }),
      ),
    )
  return allOf(to(1, own), to(3, echo))
}
