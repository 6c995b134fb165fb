// Checks of the protocol, each taken out in turn. Every one must make a test fail, or nobody would notice its absence.

export interface Mutant {
  readonly name: string
  /** Number in docs/spec/protocol.md, or the section for what has no number. */
  readonly check: string
  readonly file: string
  /** `text` occurs exactly once in the file; `tests` are mocha files that must go red. */
  readonly text: string
  readonly replacement: string
  readonly tests: readonly string[]
}

const MPC = 'packages/mpc/src'
const NODE = 'packages/node/src'

type Row = readonly [check: string, name: string, text: string, replacement: string]
const taken = (file: string, tests: readonly string[], rows: readonly Row[]): readonly Mutant[] =>
  rows.map(([check, name, text, replacement]) => ({ check, name, file, text, replacement, tests }))

export const MUTANTS: readonly Mutant[] = [
  ...taken(
    `${MPC}/deal.ts`,
    [`${MPC}/deal-checks.test.ts`],
    [
      ['1.1', 'commitments are not echoed', "throw abortOf('DEAL_ECHO_COMMIT')", 'void 0'],
      [
        '1.8',
        'attestations are not verified',
        'parties.filter((j) => !verifyIdentity(of(identities, j), hash, of(attested, j).signature))',
        '[]',
      ],
    ],
  ),
  ...taken(
    `${MPC}/deal-checks.ts`,
    [`${MPC}/deal-checks.test.ts`],
    [
      ['1.2', 'vectors of any length', 'o.coefficients.length !== count || o.proofs.length !== count || ', ''],
      ['1.4', 'openings are not compared', "throw abortOf('DEAL_BAD_OPENING')", 'void 0'],
      ['1.5', 'proofs are not verified', '!o.proofs.every((p, i) =>', '!o.proofs.every((p, i) => true ||'],
      ['1.6', 'openings are not echoed', "throw abortOf('DEAL_ECHO_OPEN')", 'void 0'],
      [
        '1.7',
        'subshares are not verified',
        'y === undefined || !equalPoints(mulBase(y), evaluateInExponent(of(commitments, j), ctx.self))',
        'y === undefined',
      ],
      ['1.9', 'a key of O', "throw abortOf('DEAL_IDENTITY_KEY')", 'void 0'],
    ],
  ),
  ...taken(
    `${MPC}/deal-checks.ts`,
    [`${MPC}/deal-renewal-sums.test.ts`],
    [
      [
        '7.2',
        'a dealer deals what it likes',
        'return commitments[0] !== undefined && equalPoints(commitments[0], expected)',
        'return true',
      ],
      ['7.3', 'another key takes its place', "throw abortOf('DEAL_WRONG_KEY')", 'void 0'],
    ],
  ),
  ...taken(
    `${MPC}/deal-context.ts`,
    [`${MPC}/deal-context.test.ts`],
    [['9', 'a refresh changes the threshold', 'threshold !== previous.threshold || ', '']],
  ),
  ...taken(
    `${MPC}/base-ot.ts`,
    [`${MPC}/base-ot.test.ts`],
    [
      ['2.1', 'the base is not proved', 'base === undefined || !verifyKnowledge(proof, base, proofContext(ctx))', 'base === undefined'],
      ['2.2', 'A = B', 'p === undefined || equalPoints(p, sender.base)', 'p === undefined'],
      ['2.3', 'answers are not compared', 'if (!equalBytes(expected, answers)) return undefined', ''],
      ['2.4', 'the other slot may be corrupt', 'good = good && own && whole', 'good = good && own'],
    ],
  ),
  ...taken(
    `${MPC}/ot-extension.ts`,
    [`${MPC}/ot-extension.test.ts`],
    [['3.1', 'the OT extension is not checked', 'if (!equalBytes(checkHash(nu, folded), message.checkHash)) return undefined', '']],
  ),
  ...taken(
    `${MPC}/vole.ts`,
    [`${MPC}/vole.test.ts`],
    [
      ['4.1', 'the VOLE is not checked', "if (!equalBytes(tagged('vole-u', bound.ctx, u), message.maskHash))", 'if (u.length === 0)'],
      ['5', 'pads without the salt of Alice', "taggedPrefix('pad', nu, saltAlice)", "taggedPrefix('pad', nu, nu)"],
      [
        '5',
        'a gadget vector that Alice can foresee',
        "tagged('vole-message', salt, rowsHash, maskHash, mask)",
        "tagged('vole-message', salt, maskHash.subarray(0, 0), mask.subarray(0, 0))",
      ],
    ],
  ),
  ...taken(
    `${MPC}/sign.ts`,
    [`${MPC}/sign-checks.test.ts`],
    [
      ['3.0', 'contexts are not compared', "throw abortOf('SIGN_PAIR_MISMATCH')", 'void 0'],
      [
        '5.1',
        'commitments are not echoed in round 2',
        'if (peers.some((j) => !equalBytes(of(sent, j).echo, echo)))',
        'if (peers.length === 0)',
      ],
      [
        '5.1',
        'commitments are not echoed in round 3',
        'if (peers.some((j) => !equalBytes(of(opened, j).echo, echo)))',
        'if (peers.length === 0)',
      ],
    ],
  ),
  ...taken(
    `${MPC}/sign-maths.ts`,
    [`${MPC}/sign-checks.test.ts`],
    [
      ['5.2', 'openings are not compared', "throw abortOf('SIGN_BAD_OPENING')", 'void 0'],
      ['5.3', 'another nonce in the product', '!holds(0, i, j, at(opened, i, j).checkU, at(opened, i, j).noncePoint)', 'false'],
      ['5.4', 'another key share in the product', '!holds(1, i, j, at(opened, i, j).checkV, at(opened, i, j).keyPoint)', 'false'],
      ['5.5', 'key points that do not add up', "throw abortOf('SIGN_KEY_SUM')", 'void 0'],
      ['5.6', 'a nonce of O', "throw abortOf('SIGN_ZERO_NONCE')", 'void 0'],
      [
        '5.7',
        'the signature is not verified',
        'if (!verifiesUnder(publicKey, digest, out.signature, mulScalars(mulScalars(u, u), inverse)))',
        'if (out.signature.length === 0)',
      ],
    ],
  ),
  ...taken(
    `${MPC}/sign-maths.ts`,
    [`${MPC}/sign-batch.test.ts`, `${MPC}/sign-pool-lies.test.ts`],
    [
      [
        '5.2',
        'a commitment without its item',
        'commitmentOf((items[i] as Item).id, j, said(j, i))',
        'commitmentOf((items[0] as Item).id, j, said(j, i))',
      ],
      [
        '5.3',
        'products of the first item only',
        'failing = (fails: (j: PartyId, i: number) => boolean) => peers.filter((j) => items.some((_, i) => fails(j, i)))',
        'failing = (fails: (j: PartyId, i: number) => boolean) => peers.filter((j) => items.slice(0, 1).some((_, i) => fails(j, i)))',
      ],
      ['0', 'any number of openings', 'peers.filter((j) => of(messages, j).openings.length !== items.length)', 'peers.filter(() => false)'],
      ['0', 'any number of partials', 'of(parsed, j).length !== items.length || ', ''],
    ],
  ),
  ...taken(
    `${MPC}/sign-request.ts`,
    [`${MPC}/sign-batch.test.ts`, `${MPC}/sign-pool.test.ts`],
    [
      ['6', 'items of one name', "tagged('sign-item', sid, u32(position))", "tagged('sign-item', sid)"],
      ['6', 'offers of any form', 'if (!offered || ', 'if ('],
      ['6', 'an entry offered twice at once', ' || new Set(names).size !== names.length', ''],
    ],
  ),
  ...taken(
    `${MPC}/sign-pair.ts`,
    [`${MPC}/sign-pool-lies.test.ts`, `${MPC}/sign-pool-stock.test.ts`],
    [
      ['0', 'an entry named twice', 'if (new Set(offer.map(toHex)).size !== offer.length) return false', ''],
      [
        '0',
        'an offer of the higher index',
        'if (this.#low) return named === 0 && (said === this.#count || said === 0)',
        'if (this.#low) return said === this.#count || said === 0',
      ],
      ['0', 'an offer together with OT messages', '(said === 0 && named === this.#count)', 'named === this.#count'],
      ['0', 'any number of OT messages', 'ots.length === (ot ? this.#count : 0) || answer', 'ots.length >= 0 || answer'],
      ['0', 'any number of answers', '&& voles.length === (vole ? this.#count : 0)', ''],
      ['6', 'entries of other names', 'equalBytes(name, (found[k] as Correlation).name)', 'name.length > 0 && found[k] !== undefined'],
      [
        '3.1',
        'late OT messages are not checked',
        'those(({ pair, turn }) => !pair.hearOts(turn.ots))',
        'those(({ pair, turn }) => !pair.hearOts(turn.ots) && turn.ots.length === 0)',
      ],
    ],
  ),
  ...taken(
    `${MPC}/sign.ts`,
    [`${MPC}/sign-pool.test.ts`],
    [
      ['6', 'offered entries are not wiped', 'for (const offer of ctx.offers.values()) own(offer)', ''],
      ['6', 'taken entries are not wiped', 'for (const list of found.values()) own(list)', ''],
    ],
  ),
  ...taken(
    `${MPC}/correlate.ts`,
    [`${MPC}/correlate.test.ts`],
    [
      ['3.c', 'contexts are not compared', "throw abortOf('CORRELATE_MISMATCH')", 'void 0'],
      ['4.c', 'names are not compared', "throw abortOf('CORRELATE_UNCONFIRMED')", 'void 0'],
      ['3.1', 'OT messages are not checked', "throw abortOf('OT_CHECK', [peer])", 'void 0'],
      ['4.1', 'answers are not checked', "blame('VOLE_CHECK', verdict === 'inconsistent' ? [peer] : [])", ''],
      ['0', 'any number of OT messages in a refill', "throw abortOf('SIGN_MALFORMED', [peer])", 'void 0'],
    ],
  ),
  ...taken(
    `${MPC}/multiplications.ts`,
    [`${MPC}/correlate.test.ts`],
    [
      ['3.1', 'the first OT message only', 'if (extended.includes(undefined)) return false', 'if (extended[0] === undefined) return false'],
      ['4.1', 'the first answer only', "if (outcomes.includes('inconsistent'))", "if (outcomes[0] === 'inconsistent')"],
    ],
  ),
  ...taken(
    `${NODE}/sessions/session-hub.ts`,
    [`${NODE}/sessions/session-hub.test.ts`],
    [['2', 'a peer speaks for another', 'if (message.from !== peer) {', 'if (message.from === 0) {']],
  ),
  ...taken(
    `${NODE}/store/request-store.ts`,
    [`${NODE}/store/request-store.test.ts`],
    [
      ['2', 'an attempt is spent twice', 'if (attempt < known.attempts)', 'if (attempt < 0)'],
      ['6', 'an id stands for more items than it did', ' || a.items.length !== b.items.length', ''],
    ],
  ),
  ...taken(
    `${NODE}/pair-burn.ts`,
    [`${NODE}/burn.test.ts`],
    [['7', 'a burn is not written down', 'const written = pairs.burn(j, error.code, clock.nowMs())', 'const written = Promise.resolve()']],
  ),
  ...taken(
    `${NODE}/pool/shelf.ts`,
    [`${NODE}/pool/stock.test.ts`],
    [
      ['6', 'an entry stays after it was offered or named', 'this.#slots.delete(key)', ''],
      ['8', 'a secret stays where it was kept', 'wipe(here)', ''],
    ],
  ),
  ...taken(
    `${NODE}/pool/stock.ts`,
    [`${NODE}/pool/stock.test.ts`],
    [
      ['6', 'entries of another pair state', 'equalBytes(shelf.pairId, pairId) ? shelf : undefined', 'true ? shelf : undefined'],
      ['8', 'entries that are dropped are not wiped', 'for (const { secret } of entries) wipe(secret)', ''],
    ],
  ),
  ...taken(
    `${NODE}/pool/draws.ts`,
    [`${NODE}/pool/draws.test.ts`],
    [
      ['6', 'a peer names entries twice in a session', 'if (!open.delete(peer)) continue', 'if (!open.has(peer)) continue'],
      ['6', 'sessions expect the same entries', 'this.#expectedOf(peer) + count', 'count'],
      ['8', 'offers that no worker took over are not wiped', 'for (const { secret } of entries) wipe(secret)', 'void entries'],
    ],
  ),
  ...taken(
    `${NODE}/pool/refill.ts`,
    [`${NODE}/pool/refill.test.ts`],
    [
      ['6', 'the higher index offers', 'if (peer > self) throw', 'if (peer < 0) throw'],
      ['6', 'a refill of another pair state', 'if (!isSame || ', 'if ('],
      [
        '6',
        'refills above the mark',
        'REFILL_MAX, marks.high - stock.count(peer), known.budget.left)\n    const isDue',
        'REFILL_MAX, known.budget.left)\n    const isDue',
      ],
      [
        '6',
        'refills without end for one peer',
        'marks.high - stock.count(peer), known.budget.left)\n    const isDue',
        'marks.high - stock.count(peer))\n    const isDue',
      ],
      ['6', 'refills while sessions run', 'this.#busy === undefined && this.#o.isIdle()', 'this.#busy === undefined'],
      ['6', 'several refills at once', 'this.#busy === undefined && this.#o.isIdle()', 'this.#o.isIdle()'],
      ['6', 'a stock outlives its pair', '< stock.count(peer)) stock.drop(peer)', '< stock.count(peer)) void 0'],
      ['6', 'a refill outlives its pair', 'if (!this.#isCurrent(peer, batch.pairId)) {', 'if (peer < 0) {'],
      ['6', 'dead entries stay', 'if (isSame) stock.dropBefore(peer, oldest)', ''],
    ],
  ),
  ...taken(
    `${NODE}/sessions/session-pool.ts`,
    [`${NODE}/sessions/correlate-job.test.ts`],
    [
      ['8', 'entries that nobody waits for are not wiped', "if ('secret' in entry) wipe(entry.secret)", "if ('secret' in entry) void 0"],
      ['6', 'refills stand in the way of signing', "job.kind === 'correlate' || !kinds.includes('correlate')", 'true'],
    ],
  ),
  ...taken(
    `${NODE}/pool/correlation-pool.ts`,
    [`${NODE}/pool/correlation-pool.test.ts`],
    [['7', 'a cheat in a refill burns nothing', '{ failed: (error) => burnCulprits(this.#o, error) }', '{}']],
  ),
  ...taken(
    `${NODE}/judge.ts`,
    [`${NODE}/judge.test.ts`],
    [['6', 'only one item counts', 'denied >= 0 ? denied : verdicts.findIndex((v) => !v.allowed)', 'verdicts[0]?.allowed ? -1 : 0']],
  ),
]
