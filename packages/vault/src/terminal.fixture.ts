import { spawn, spawnSync } from 'node:child_process'

// Test support: programs on a terminal of their own, made by script of util-linux, and programs without any.

export const TERMINAL_MISSING = spawnSync('script', ['--version']).status === 0 ? undefined : 'script (util-linux) is not installed'

const TIMEOUT_MS = 60_000

export interface Shown {
  readonly exitCode: number | null
  /** All that came to the terminal. */
  readonly text: string
}

/** What a person does: types `type` when the terminal shows `when`. */
export interface Typing {
  readonly when: string
  readonly type: string
}

const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`

/** What the terminal shows when the program has ended: the terminal itself waits for an answer to it, so that nothing shown before is lost. */
const ENDED = /\r?\n<ended (\d+)>\r?\n/

function run(command: string, args: readonly string[], typing: readonly Typing[], isAlone: boolean): Promise<Shown> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: isAlone })
  const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS)
  const left = [...typing]
  let text = ''
  let from = 0
  const show = (piece: Buffer) => {
    text += piece.toString()
    if (ENDED.test(text)) child.stdin.end('\n')
    for (let next = left[0]; next !== undefined; next = left[0]) {
      const at = text.indexOf(next.when, from)
      if (at < 0) return
      left.shift()
      from = at + next.when.length
      child.stdin.write(next.type)
    }
  }
  child.stdout.on('data', show)
  child.stderr.on('data', show)
  child.stdin.on('error', () => undefined)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exitCode) => {
      clearTimeout(timer)
      const ended = ENDED.exec(text)
      resolve(ended === null ? { exitCode, text } : { exitCode: Number(ended[1]), text: text.slice(0, ended.index) })
    })
  })
}

/** Runs a program on a new terminal. */
export function runOnTerminal(args: readonly string[], typing: readonly Typing[]): Promise<Shown> {
  const command = [process.execPath, ...args].map(quoted).join(' ')
  const whole = `trap : INT; ${command}; printf '\\n<ended %s>\\n' $?; read -r _`
  return run('script', ['-qfc', whole, '/dev/null'], typing, false)
}

/** Runs a program in a session of its own, which has no terminal. */
export function runWithoutTerminal(args: readonly string[]): Promise<Shown> {
  return run(process.execPath, args, [], true)
}
