import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { ReadStream } from 'node:tty'
import { AgentFault } from './fault.ts'
import { PIN_BYTES_MAX } from './pin.ts'

const [ENTER, LINE_FEED, CTRL_C, CTRL_D, BACKSPACE, DELETE] = [0x0d, 0x0a, 0x03, 0x04, 0x08, 0x7f]

/** A question that was put to a person. */
export interface Prompt {
  /** What was typed, without the end of the line. @throws {AgentFault} PIN_NEEDED when it was broken off. */
  readonly answer: Promise<Buffer>
  /** Puts the terminal back as it was. Safe to call twice. */
  close(): void
}

export interface Terminal {
  /** Asks; nothing of the answer is shown. */
  ask(question: string): Prompt
}

/** A process in the background would be stopped when it reads; the system says who is in front where it can. */
function isInFront(): boolean {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8')
    // "pid (name) state parent group session terminal front ...", where the name may hold anything.
    const [, , group, , , front] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return group === front
  } catch {
    // Not Linux.
    return true
  }
}

/** The terminal that this process was started from, if there is one and a person sits in front of it. */
export function openTerminal(): Terminal | undefined {
  let fd: number
  try {
    fd = openSync('/dev/tty', 'r+')
  } catch {
    // ENXIO: a service has none.
    return undefined
  }
  if (isInFront()) return { ask: (question) => ask(fd, question) }
  closeSync(fd)
  return undefined
}

function ask(fd: number, question: string): Prompt {
  const input = new ReadStream(fd)
  const typed = Buffer.alloc(PIN_BYTES_MAX)
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  // Nobody may be waiting any more when it is broken off.
  promise.catch(() => undefined)
  let length = 0
  let isOpen = true
  const close = () => {
    if (!isOpen) return
    isOpen = false
    input.setRawMode(false)
    writeSync(fd, '\n')
    input.destroy()
    typed.fill(0)
  }
  const brokenOff = () => {
    close()
    reject(new AgentFault('PIN_NEEDED', 'no PIN was typed'))
  }
  input.on('error', brokenOff)
  input.on('end', brokenOff)
  input.on('data', (bytes: Buffer) => {
    for (const byte of bytes) {
      if (byte === ENTER || byte === LINE_FEED || byte === CTRL_D) {
        if (length === 0) brokenOff()
        else resolve(Buffer.from(typed.subarray(0, length)))
        break
      }
      if (byte === CTRL_C) {
        brokenOff()
        // What the terminal would have done for us.
        process.kill(0, 'SIGINT')
        break
      }
      if (byte === BACKSPACE || byte === DELETE) length = Math.max(0, length - 1)
      else if (length < PIN_BYTES_MAX) typed[length++] = byte
    }
    bytes.fill(0)
  })
  input.setRawMode(true)
  writeSync(fd, question)
  return { answer: promise, close }
}
