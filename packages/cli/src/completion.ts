import type { CommandNote } from './command-tree.ts'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** Text that a shell takes as it is. */
const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`
const fishQuoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
const placeOf = ({ words }: CommandNote) => words.join(' ')
const wordsAfter = ({ commands, options }: CommandNote) => [...commands, ...options.map((option) => option.name)].join(' ')

/** Every option that is followed by a value, of any command: after it no word of ours fits. */
function valued(notes: readonly CommandNote[]): readonly string[] {
  return [...new Set(notes.flatMap(({ options }) => options.filter((o) => o.takesValue).map((o) => o.name)))].sort()
}

/** Finds in `$at` the command that is typed, in a loop over the words before the present one. @param word - how the loop calls one. */
function finder(notes: readonly CommandNote[], word: string): readonly string[] {
  const places = notes.slice(1).map((note) => quoted(placeOf(note)))
  return [`    case "$at ${word}" in`, `      ${places.join('|')}) at="$at ${word}" ;;`, '    esac']
}

function bash(notes: readonly CommandNote[]): readonly string[] {
  return [
    '_conclave() {',
    '  local at=conclave words i',
    '  COMPREPLY=()',
    `  case "\${COMP_WORDS[COMP_CWORD-1]}" in ${valued(notes).join('|')}) return ;; esac`,
    '  for ((i = 1; i < COMP_CWORD; i++)); do',
    ...finder(notes, '$' + '{COMP_WORDS[i]}'),
    '  done',
    '  case "$at" in',
    ...notes.map((note) => `    ${quoted(placeOf(note))}) words=${quoted(wordsAfter(note))} ;;`),
    '  esac',
    `  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))`,
    '}',
    '# Values of options are files, as far as the shell can tell.',
    'complete -o default -F _conclave conclave',
  ]
}

function zsh(notes: readonly CommandNote[]): readonly string[] {
  return [
    '#compdef conclave',
    '_conclave() {',
    '  local at=conclave i',
    `  case "\${words[CURRENT-1]}" in ${valued(notes).join('|')}) _files; return ;; esac`,
    '  for ((i = 2; i < CURRENT; i++)); do',
    ...finder(notes, '$' + '{words[i]}'),
    '  done',
    '  case "$at" in',
    ...notes.map((note) => `    ${quoted(placeOf(note))}) compadd -- ${wordsAfter(note)} ;;`),
    '  esac',
    '}',
    'compdef _conclave conclave',
  ]
}

function fish(notes: readonly CommandNote[]): readonly string[] {
  const at = (note: CommandNote) => `complete -c conclave -n ${fishQuoted(`__conclave_at ${placeOf(note)}`)}`
  const byPlace = new Map(notes.map((note) => [placeOf(note), note]))
  return [
    'function __conclave_at',
    '  set -l at conclave',
    '  for word in (commandline -opc)[2..-1]',
    `    contains -- "$at $word" ${notes
      .slice(1)
      .map((note) => fishQuoted(placeOf(note)))
      .join(' ')}; and set at "$at $word"`,
    '  end',
    '  test "$at" = "$argv"',
    'end',
    ...notes.flatMap((note) => [
      ...note.commands.map((name) => {
        const description = byPlace.get(`${placeOf(note)} ${name}`)?.description ?? ''
        return `${at(note)} -f -a ${name} -d ${fishQuoted(description)}`
      }),
      ...note.options.map((o) => `${at(note)} -l ${o.name.slice(2)}${o.takesValue ? ' -r' : ' -f'} -d ${fishQuoted(o.description)}`),
    ]),
  ]
}

const SCRIPTS = { bash, zsh, fish } as const

/** A script that completes commands and options in a shell; it starts no process. @param notes - of the program, which comes first. */
export function completionScript(shell: Shell, notes: readonly CommandNote[]): string {
  return `${SCRIPTS[shell](notes).join('\n')}\n`
}
