// Checks of the protocol, each taken out in turn. Every one must make a test fail, or nobody would notice its absence.

export interface Mutant {
  readonly name: string
  /** Number in docs/spec/protocol.md, or the section for what has no number. */
  readonly check: string
  readonly file: string
  /** Occurs exactly once in the file. */
  readonly text: string
  readonly replacement: string
  /** Mocha files that must go red. */
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
      ['5.3', 'another nonce in the product', '!holds(j, 0, of(all, j).checkU, of(all, j).noncePoint)', 'false'],
      ['5.4', 'another key share in the product', '!holds(j, 1, of(all, j).checkV, of(all, j).keyPoint)', 'false'],
      ['5.5', 'key points that do not add up', "throw abortOf('SIGN_KEY_SUM')", 'void 0'],
      ['5.6', 'a nonce of O', "throw abortOf('SIGN_ZERO_NONCE')", 'void 0'],
      [
        '5.7',
        'the signature is not verified',
        'if (!verifies(run.publicKey, run.ctx.request.digest, out.signature))',
        'if (out.signature.length === 0)',
      ],
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
    [['2', 'an attempt is spent twice', 'if (attempt < known.attempts)', 'if (attempt < 0)']],
  ),
  ...taken(
    `${NODE}/signer.ts`,
    [`${NODE}/burn.test.ts`],
    [['7', 'a burn is not written down', 'const written = pairs.burn(j, error.code, clock.nowMs())', 'const written = Promise.resolve()']],
  ),
]
