import type { EventBody } from '../events/event-body.ts'
import { API_KEYS, type Harness } from './harness.ts'

/** A client of a stream of server-sent events. */
export class EventReader implements AsyncDisposable {
  readonly status: number
  readonly headers: Headers
  readonly events: EventBody[] = []
  comments = 0
  isEnded = false
  readonly #abort: AbortController

  private constructor(response: Response, abort: AbortController) {
    this.status = response.status
    this.headers = response.headers
    this.#abort = abort
    void this.#read(response)
  }

  static async open(h: Harness, path: string, headers: Readonly<Record<string, string>> = {}): Promise<EventReader> {
    const abort = new AbortController()
    const authorization = `Bearer ${API_KEYS.viewer}`
    const response = await fetch(`${h.coordinator?.url}${path}`, { headers: { authorization, ...headers }, signal: abort.signal })
    return new EventReader(response, abort)
  }

  get types(): readonly string[] {
    return this.events.map((event) => event.type.split('.')[1] ?? '')
  }

  /** Hangs up. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort()
  }

  async #read(response: Response): Promise<void> {
    let text = ''
    const decoder = new TextDecoder()
    try {
      for await (const bytes of response.body ?? []) {
        const parts = (text + decoder.decode(bytes, { stream: true })).split('\n\n')
        text = parts.pop() ?? ''
        for (const part of parts) this.#take(part)
      }
    } catch {
      // Hung up, by either.
    }
    this.isEnded = true
  }

  #take(part: string): void {
    const fields = new Map(part.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]))
    const data = fields.get('data')
    if (data === undefined) this.comments++
    else {
      const event = JSON.parse(data) as EventBody
      if (event.id !== fields.get('id') || event.type !== fields.get('event')) throw new Error(`not one event: ${part}`)
      this.events.push(event)
    }
  }
}
