import type { CommandNote, OptionNote } from './command-tree.ts'

const HEAD = `# The commands

Written by \`npm run -s cli-docs\` from the commands themselves; a test holds it to them. What to do with them and when: [operations.md](operations.md).

## How a command ends

| exit code | |
|---|---|
| 0 | done |
| 1 | failed: the last line on standard error says why, with a stable code in brackets. \`conclave doctor\` says more with codes of its own ([doctor.md](doctor.md)) |
| 2 | wrong usage |
| 3 | nothing is signed yet, and nothing is wrong: the request waits for approvals. Its id is on standard output, for \`conclave request wait\` |
| 4 | denied by the policy of the nodes, or rejected by an approver: the same again will be refused again |

Results go to standard output; what goes on meanwhile, and failures, to standard error. With \`--json\` the result is one line of JSON. Secrets are never options: they are in files, which only
their owner may read, or in the environment.

## Which coordinator, and as whom

Commands that talk to a coordinator need its URL and an API key: of an option, or else of the environment, or else of a profile.

| option | environment | |
|---|---|---|
| \`--url\` | \`CONCLAVE_URL\` | of the coordinator; several (commas in the environment) for several replicas, of which the next is asked when one is away |
| \`--api-key-file\` | \`CONCLAVE_API_KEY_FILE\` | file with the key, mode 0600 |
| | \`CONCLAVE_API_KEY\` | the key itself |
| \`--profile\` | \`CONCLAVE_PROFILE\` | a profile of the file \`CONCLAVE_PROFILES\`, which is \`~/.config/conclave/profiles.yaml\` by default |

\`\`\`yaml
default: home
profiles:
  home: { urls: [http://127.0.0.1:8080], apiKeyFile: ./home.key } # relative to this file
  work: { urls: [https://one.example, https://two.example], apiKeyFile: ./work.key }
\`\`\`

The key of a profile goes to the coordinators of that profile only: who names another URL names its key as well.

## Completion

\`\`\`sh
source <(conclave completion bash)                                   # in ~/.bashrc
source <(conclave completion zsh)                                    # in ~/.zshrc, after compinit
conclave completion fish > ~/.config/fish/completions/conclave.fish
\`\`\`
`

const cell = (text: string) => text.replaceAll('|', '\\|')

function optionRow({ flags, description, isRequired }: OptionNote): string {
  return `| \`${cell(flags)}\` | ${isRequired ? 'required; ' : ''}${cell(description)} |`
}

function section({ words, description, argumentsText, options, commands, usual }: CommandNote): readonly string[] {
  const name = words.join(' ')
  const lines = [
    '',
    `${words.length === 2 ? '##' : '###'} ${name}${argumentsText === '' ? '' : ` ${argumentsText}`}`,
    '',
    `${description}.`,
  ]
  if (commands.length > 0)
    lines.push('', `Commands: ${commands.map((each) => (each === usual ? `${each} (the usual one)` : each)).join(', ')}.`)
  if (options.length > 0) lines.push('', '| option | |', '|---|---|', ...options.map(optionRow))
  return lines
}

/** docs/cli.md. @param notes - of the program, which comes first. */
export function cliDocs(notes: readonly CommandNote[]): string {
  return `${[HEAD.trimEnd(), ...notes.slice(1).flatMap(section)].join('\n')}\n`
}
