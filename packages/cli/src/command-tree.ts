import type { Command } from 'commander'

export interface OptionNote {
  /** As it is typed, e.g. `--key <id>`. */
  readonly flags: string
  /** e.g. `--key`. */
  readonly name: string
  readonly description: string
  readonly isRequired: boolean
  readonly takesValue: boolean
}

export interface CommandNote {
  /** `conclave`, `key`, `list`. */
  readonly words: readonly string[]
  readonly description: string
  /** Of its arguments without a name, e.g. `<file>`. */
  readonly argumentsText: string
  readonly options: readonly OptionNote[]
  /** The names of its commands; empty for one that does something. */
  readonly commands: readonly string[]
  /** Which of its commands runs when none is named. */
  readonly usual: string | undefined
}

function noteOf(command: Command, above: readonly string[]): CommandNote {
  const { _defaultCommandName: usual } = command as unknown as { _defaultCommandName: string | null }
  const options = command.options
    .filter((option) => !option.hidden)
    .map((option) => ({
      flags: option.flags,
      name: option.long ?? option.flags,
      description: [option.description, ...(option.argChoices === undefined ? [] : [option.argChoices.join(', ')])].join(': '),
      isRequired: option.mandatory,
      takesValue: option.required || option.optional,
    }))
  const given = command.registeredArguments.map(
    (a) => `${a.required ? '<' : '['}${a.name()}${a.variadic ? '...' : ''}${a.required ? '>' : ']'}`,
  )
  return {
    ...{ words: [...above, command.name()], description: command.description(), argumentsText: given.join(' '), options },
    ...{ commands: command.commands.map((each) => each.name()), usual: usual ?? undefined },
  }
}

/** A command and all below it, each after the one that it belongs to. */
export function notesOf(command: Command, above: readonly string[] = []): readonly CommandNote[] {
  const note = noteOf(command, above)
  return [note, ...command.commands.flatMap((each) => notesOf(each, note.words))]
}
