import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { cliDocs } from './cli-docs.ts'
import { notesOf } from './command-tree.ts'
import { completionScript, SHELLS } from './completion.ts'
import { createProgram } from './program.ts'

const notes = notesOf(
  createProgram((reason) => {
    throw reason
  }),
)

/** A shell's answer, or undefined where that shell is not installed. */
function ask(shell: string, script: string): string | undefined {
  try {
    return execFileSync(shell, ['-c', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** What bash offers after these words, the last of which is being typed. */
function bashOffers(...words: readonly string[]): readonly string[] {
  const typed = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _conclave; echo "\${COMPREPLY[*]}"`
  return (ask('bash', `${completionScript('bash', notes)}${typed}`) ?? '').trim().split(' ')
}

describe('commands', () => {
  it('docs/cli.md is what they are (npm run -s cli-docs writes it)', async () => {
    expect(await readFile(new URL('../../../docs/cli.md', import.meta.url), 'utf8')).equal(cliDocs(notes))
  })

  it('each says what it does, and so does each of its options', () => {
    for (const { words, description, options } of notes) {
      expect(description, words.join(' ')).not.equal('')
      for (const { name, description: text } of options) expect(text, `${words.join(' ')} ${name}`).not.equal('')
    }
  })

  it('none takes a secret in its options', () => {
    for (const { words, options } of notes) {
      for (const { flags } of options) expect(flags, words.join(' ')).not.match(/--(pin|password|passphrase|secret|api-key) </)
    }
  })

  it('bash completes commands, then options, and leaves values of options to the files', () => {
    expect(bashOffers('conclave', 'ke')).deep.equal(['key'])
    expect(bashOffers('conclave', 'key', 'de')).deep.equal(['derive'])
    expect(bashOffers('conclave', 'sign', 'evm-tx', '--key', 'sign', '--ide')).deep.equal(['--idempotency-key'])
    expect(bashOffers('conclave', 'sign', 'evm-tx', '--in', '')).deep.equal([''])
    expect(bashOffers('conclave', 'key', 'show', '--'))
      .contain.members(['--key', '--url', '--json'])
      .not.contain('--path')
  })

  for (const shell of SHELLS.filter((each) => each !== 'bash')) {
    it(`${shell} takes its script, where it is installed`, function () {
      const check = shell === 'zsh' ? 'autoload -U compinit && compinit -u -D;' : ''
      if (ask(shell, `${check}\n${completionScript(shell, notes)}`) === undefined) this.skip()
    })
  }
})
