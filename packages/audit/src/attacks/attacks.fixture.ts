import { cp, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { NOW_S, signedCheckpoint, testEntry } from '../signed-log.fixture.ts'
import { changeFile, type Lab, resigned, SIZE, SIZES, signaturesOf, withSignatures } from './lab.fixture.ts'

/** Something that a liar does to a log, or says about one. */
export interface Attack {
  readonly kind: string
  readonly name: string
  /** Codes under which it is found; none when it is not. */
  readonly run: (lab: Lab) => Promise<readonly string[]>
}

const PLACES = [0, 1, 2, 128, 254, 255, 256, 259]
const keep = (lab: Lab) => async () => lab.checkpoint(SIZE)

/** Entries are other ones; every file agrees with them. */
function rewrites(): Attack[] {
  const rewritten = (lab: Lab, i: number) => lab.entries().with(i, testEntry('n1', i, 'no'))
  return PLACES.flatMap((i): Attack[] => [
    {
      kind: 'rewrite',
      name: `entry ${i}, under the old checkpoint`,
      run: async (lab) => lab.findings(await lab.rebuild(rewritten(lab, i), keep(lab))),
    },
    {
      kind: 'rewrite',
      name: `entry ${i}, signed anew by the log`,
      run: async (lab) => lab.findings(await lab.rebuild(rewritten(lab, i), resigned())),
    },
    {
      kind: 'rewrite',
      name: `entry ${i}, signed anew with one helper`,
      run: async (lab) => lab.findings(await lab.rebuild(rewritten(lab, i), resigned(['n2']))),
    },
    {
      kind: 'rewrite',
      name: `entry ${i}, signed anew with enough helpers, seen by one who holds the old checkpoint`,
      run: async (lab) => lab.findings(await lab.rebuild(rewritten(lab, i), resigned(['n2', 'n3'])), { known: [lab.checkpoint(SIZE)] }),
    },
    {
      kind: 'rewrite',
      name: `entry ${i}, in its bundle only`,
      run: async (lab) => {
        const dir = await lab.copy('n1')
        const name = i < 256 ? 'tile/entries/000' : 'tile/entries/001.p/4'
        const [from, to] = [testEntry('n1', i), testEntry('n1', i, 'nah')]
        await changeFile(dir, name, (bytes) => {
          const at = Buffer.from(bytes).indexOf(from)
          // As long as it was, so that everything else stays where it is.
          return Buffer.concat([bytes.subarray(0, at), to, bytes.subarray(at + from.length)])
        })
        return lab.findings(dir)
      },
    },
  ])
}

/** Entries are gone from the end. */
function truncations(): Attack[] {
  const lengths = [0, 1, 3, 254, 255, 256, 259]
  return [
    ...lengths.flatMap((n): Attack[] => [
      {
        kind: 'truncate',
        name: `to ${n} entries, under the old checkpoint`,
        run: async (lab) => lab.findings(await lab.rebuild(lab.entries().slice(0, n), keep(lab))),
      },
      {
        kind: 'truncate',
        name: `to ${n} entries, signed anew`,
        run: async (lab) => lab.findings(await lab.rebuild(lab.entries().slice(0, n), resigned(['n4']))),
      },
      {
        kind: 'truncate',
        name: `to ${n} entries, signed anew with enough helpers, seen by one who holds more`,
        run: async (lab) =>
          lab.findings(await lab.rebuild(lab.entries().slice(0, n), resigned(['n4', 'n5'])), { known: [lab.checkpoint(SIZE)] }),
      },
    ]),
    ...SIZES.slice(0, -1).map(
      (n): Attack => ({
        kind: 'truncate',
        name: `the whole directory as it was at ${n} entries, seen by one who holds more`,
        run: async (lab) => lab.findings(await lab.copy(`n1-at-${n}`), { known: [lab.checkpoint(SIZE)] }),
      }),
    ),
  ]
}

/** Two histories of one log, each with a signature of its node. */
function forks(): Attack[] {
  return PLACES.slice(1).flatMap((i): Attack[] => {
    const other = (lab: Lab) => lab.entries().map((e, at) => (at < i ? e : testEntry('n1', at, 'fork')))
    return [
      {
        kind: 'fork',
        name: `from entry ${i} on, signed by the log alone`,
        run: async (lab) => lab.findings(await lab.rebuild(other(lab), resigned())),
      },
      {
        kind: 'fork',
        name: `from entry ${i} on, with enough helpers, seen by one who holds the other`,
        run: async (lab) => lab.findings(await lab.rebuild(other(lab), resigned(['n3', 'n4'])), { known: [lab.checkpoint(SIZE)] }),
      },
      {
        kind: 'fork',
        name: `from entry ${i} on, longer than what is known`,
        run: async (lab) => {
          const longer = [...other(lab), testEntry('n1', SIZE, 'fork')]
          return lab.findings(await lab.rebuild(longer, resigned(['n3', 'n4'])), { known: [lab.checkpoint(SIZE)] })
        },
      },
    ]
  })
}

/** Entries are taken out, put in, or change places. */
function splices(): Attack[] {
  const spliced: readonly (readonly [string, (entries: Uint8Array[]) => Uint8Array[]])[] = [
    ...PLACES.map((i) => [`entry ${i} taken out`, (e: Uint8Array[]) => e.toSpliced(i, 1)] as const),
    ...PLACES.map((i) => [`an entry put in at ${i}`, (e: Uint8Array[]) => e.toSpliced(i, 0, testEntry('n1', 999))] as const),
    ...PLACES.slice(1).map(
      (i) => [`entries ${i - 1} and ${i} swapped`, (e: Uint8Array[]) => e.with(i, e[i - 1]!).with(i - 1, e[i]!)] as const,
    ),
    ...PLACES.slice(1).map((i) => [`entry ${i} a copy of the first`, (e: Uint8Array[]) => e.with(i, e[0]!)] as const),
  ]
  return spliced.map(([name, change]) => ({
    kind: 'splice',
    name,
    run: async (lab) => lab.findings(await lab.rebuild(change(lab.entries()), keep(lab))),
  }))
}

/** Files take each other's place. */
function swaps(): Attack[] {
  const pairs = [
    ['tile/0/000', 'tile/0/001.p/4'],
    ['tile/0/001.p/4', 'tile/entries/001.p/4'],
    ['tile/entries/000', 'tile/entries/001.p/4'],
    ['tile/0/001.p/4', 'tile/1/000.p/1'],
    ['tile/0/000', 'tile/entries/000'],
    ['head', 'checkpoint'],
  ] as const
  return [
    ...pairs.map(
      ([a, b]): Attack => ({
        kind: 'swapped tiles',
        name: `${a} and ${b}`,
        run: async (lab) => {
          const dir = await lab.copy('n1')
          const held = join(dir, 'held')
          await rename(join(dir, a), held)
          await rename(join(dir, b), join(dir, a))
          await rename(held, join(dir, b))
          return lab.findings(dir)
        },
      }),
    ),
    ...['tile/0/000', 'tile/0/001.p/4', 'tile/1/000.p/1', 'tile/entries/000'].map(
      (name): Attack => ({
        kind: 'swapped tiles',
        name: `${name} of another node`,
        run: async (lab) => {
          const [dir, other] = [await lab.copy('n1'), await lab.copy('n2')]
          await cp(join(other, name), join(dir, name))
          return lab.findings(dir)
        },
      }),
    ),
  ]
}

/** A checkpoint, or a cosignature, in a place where it does not belong. */
function notes(): Attack[] {
  const replaced = (name: string, note: (lab: Lab) => Promise<Uint8Array> | Uint8Array, kind: string, known?: number): Attack => ({
    kind,
    name,
    run: async (lab) => {
      const dir = await lab.copy('n1')
      const bytes = await note(lab)
      await changeFile(dir, 'checkpoint', () => bytes)
      return lab.findings(dir, { known: known === undefined ? [] : [lab.checkpoint(known)] })
    },
  })
  const headOf = async (lab: Lab) => ({
    size: SIZE,
    root: Buffer.from(new TextDecoder().decode(lab.checkpoint(SIZE)).split('\n')[2]!, 'base64'),
  })
  const moved = (lab: Lab, from: Uint8Array) => withSignatures(lab.checkpoint(SIZE), ([own]) => [own!, ...signaturesOf(from).slice(1)])
  return [
    ...SIZES.slice(0, -1).map((n) =>
      replaced(`that of ${n} entries, seen by one who holds the newest`, (lab) => lab.checkpoint(n), 'replayed checkpoint', SIZE),
    ),
    replaced('that of another node', async (lab) => signedCheckpoint('n2', await headOf(lab)), "other node's log"),
    { kind: "other node's log", name: 'the whole log of another node', run: async (lab) => lab.findings(await lab.copy('n2')) },
    {
      kind: "other node's log",
      name: "another node's entry, signed into this log",
      run: async (lab) => lab.findings(await lab.rebuild(lab.entries().with(7, testEntry('n2', 7)), resigned(['n3', 'n4']))),
    },
    ...SIZES.slice(0, -1).map((n) =>
      replaced(`from the checkpoint of ${n} entries`, (lab) => moved(lab, lab.checkpoint(n)), 'cosignature moved'),
    ),
    replaced(
      "from another node's checkpoint",
      async (lab) => moved(lab, await signedCheckpoint('n4', await headOf(lab), { cosigners: ['n2', 'n5'] })),
      'cosignature moved',
    ),
    replaced('the same one twice', (lab) => withSignatures(lab.checkpoint(SIZE), ([own, one]) => [own!, one!, one!]), 'cosignature moved'),
    replaced(
      "one under another witness's name",
      (lab) => withSignatures(lab.checkpoint(SIZE), ([own, one, two]) => [own!, one!, { ...one!, name: two!.name }]),
      'cosignature moved',
    ),
    replaced(
      "the log's own as a witness",
      async (lab) => signedCheckpoint('n1', await headOf(lab), { cosigners: ['n1', 'n2'] }),
      'cosignature moved',
    ),
    replaced('too few', (lab) => withSignatures(lab.checkpoint(SIZE), ([own, one]) => [own!, one!]), 'cosignature moved'),
    replaced("none of the log's own", (lab) => withSignatures(lab.checkpoint(SIZE), ([, ...rest]) => rest), 'cosignature moved'),
    replaced(
      'from the future',
      async (lab) => signedCheckpoint('n1', await headOf(lab), { cosigners: ['n2', 'n5'], timeS: NOW_S + 3600 }),
      'time',
    ),
    ...[0, 4, 7].map((at) =>
      replaced(
        `byte ${at} of a cosignature's time`,
        (lab) =>
          withSignatures(lab.checkpoint(SIZE), ([own, one, two]) => [
            own!,
            { ...one!, signature: one!.signature.map((b, i) => (i === at ? b ^ 1 : b)) },
            two!,
          ]),
        'time',
      ),
    ),
    {
      kind: 'time',
      name: 'of an entry',
      run: async (lab) => {
        const dir = await lab.copy('n1')
        await changeFile(dir, 'tile/entries/001.p/4', (bytes) =>
          Buffer.from(Buffer.from(bytes).toString('latin1').replace('2030-01-01', '2029-01-01'), 'latin1'),
        )
        return lab.findings(dir)
      },
    },
  ]
}

/** Everything that is done to the files of a log. */
export const FILE_ATTACKS: readonly Attack[] = [...rewrites(), ...truncations(), ...forks(), ...splices(), ...swaps(), ...notes()]
