import { utf8 } from '@conclave/core'
import { type Command, CommanderError } from 'commander'
import { createProgram } from './program.ts'

/** Nothing is carried out and nothing is printed: what counts is what the arguments are taken for. */
function disarm(command: Command): void {
  command.configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
  if (command.commands.length === 0) command.action(() => undefined)
  for (const sub of command.commands) disarm(sub)
}

/** One argument a line. */
function parse(input: Uint8Array): void {
  const program = createProgram((reason) => {
    throw reason
  })
  disarm(program)
  try {
    program.parse(new TextDecoder().decode(input).split('\n'), { from: 'user' })
  } catch (error) {
    // What main.ts turns into an exit code.
    if (!(error instanceof CommanderError)) throw error
  }
}

const LINES = [
  'node run --dir d',
  'node init --dir d --name n --listen /ip4/0.0.0.0/tcp/1 /ip4/0.0.0.0/tcp/2 --module m --token t --pin-file p',
  'coordinator --dir d',
  'coordinator init --dir d --name c --listen /ip4/0.0.0.0/tcp/1 --http 127.0.0.1:80',
  'cluster draft --card a b --required 2 --out l',
  'cluster sign --dir d --lock l --hash ab',
  'demo --json',
  'node key destroy --dir d --key k --reason r --yes k --without backup',
  'node key erasure verify --file f --lock l',
  'hsm init --dir d --name backup --module m --token t --pin-file p --write',
  'hsm rotate-kek --dir d --without backup --json',
  'hsm destroy --dir d --hsm backup --yes backup',
  'backup restore --dir d --in b --pieces p q --lock l m --epochs e --leave-out k --json',
  'backup open-piece --in b --identity i --to age1 --out o --yes',
  'help node',
]
const seeds = LINES.map((line) => utf8(line.replaceAll(' ', '\n')))

export const TARGETS = [{ name: 'cli.arguments', kind: 'text', runs: 150, codes: /^$/, start: () => ({ seeds, run: parse }) }]
