import { type Clock, ConclaveError, type NodeMember, type PartyId, TransportError, utf8 } from '@conclave/core'
import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { askAll } from './ask-all.ts'
import type { ClusterView } from './cluster-view.ts'
import { type NodeCalls, safeCode } from './node-calls.ts'
import { ApiError } from './problem.ts'

const LOOK_TIMEOUT_MS = 5000
/** Once one node has answered, how long the others are waited for. */
const GRACE_MS = 2000

export interface NodeLooksOptions {
  readonly view: ClusterView
  readonly calls: NodeCalls
  readonly clock: Clock
  readonly stopping: AbortSignal
}

/** What one node shows, or why it shows nothing. */
export interface Shown<T> {
  readonly node: PartyId
  readonly shown: T | null
  readonly code: string | null
}

export interface Topic<S extends TSchema> {
  readonly topic: string
  /** Of an honest answer. What a node says is its word, and has to have this form at least. */
  parse(body: Uint8Array): Static<S>
}

/** @throws from `parse`: {@link TransportError} BAD_ANSWER. */
export function topicOf<S extends TSchema>(topic: string, schema: S): Topic<S> {
  const form = Compile(schema)
  const parse = (body: Uint8Array) => {
    let value: unknown
    try {
      value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
    } catch {
      // Whatever it is, it has not the form.
      value = undefined
    }
    if (!form.Check(value)) throw new TransportError('BAD_ANSWER', `what the node shows as ${topic} has another form`)
    return value as Static<S>
  }
  return { topic, parse }
}

const NOTHING = utf8('')

/** Looks at the connected nodes among `nodes`; in the order of their indices. @throws {ApiError} NODES_UNREACHABLE when none answers. */
export async function lookAtAll<S extends TSchema>(
  { view, calls, clock, stopping }: NodeLooksOptions,
  { topic, parse }: Topic<S>,
  { nodes, argument = NOTHING }: { nodes: readonly PartyId[]; argument?: Uint8Array },
): Promise<readonly Shown<Static<S>>[]> {
  const up = nodes.filter((n) => view.isUp(n)).map((n) => view.node(n))
  const answers = await askAll({
    ...{ nodes: up, graceMs: GRACE_MS, clock, signal: stopping },
    ask: async (node: NodeMember, signal) => {
      const { body } = await calls.call(node, { look: { topic, argument } }, 'looked', { timeoutMs: LOOK_TIMEOUT_MS, signal })
      return { shown: parse(body) }
    },
    hurries: (answer) => !(answer instanceof ConclaveError),
  })
  if (answers.size === 0) throw new ApiError('NODES_UNREACHABLE', 'no node that could answer is connected')
  return [...answers]
    .sort(([a], [b]) => a - b)
    .map(([node, answer]) =>
      answer instanceof ConclaveError ? { node, shown: null, code: safeCode(answer.code) } : { node, shown: answer.shown, code: null },
    )
}

/** A file of one node's log. @throws {ApiError} NODES_UNREACHABLE, LOG_FILE_NOT_FOUND, NODE_REFUSED. */
export async function logFileOf({ view, calls, stopping }: NodeLooksOptions, node: NodeMember, name: string): Promise<Uint8Array> {
  if (!view.isUp(node.index)) throw new ApiError('NODES_UNREACHABLE', `node ${node.name} is not connected`)
  const look = { topic: 'log-file', argument: utf8(name) }
  try {
    return (await calls.call(node, { look }, 'looked', { timeoutMs: LOOK_TIMEOUT_MS, signal: stopping })).body
  } catch (cause) {
    const code = cause instanceof ConclaveError ? safeCode(cause.code) : 'INTERNAL'
    if (code === 'NO_SUCH_FILE') throw new ApiError('LOG_FILE_NOT_FOUND', 'the log has no such checkpoint or tile', { cause })
    throw new ApiError('NODE_REFUSED', `node ${node.name} shows no file of its log: ${code}`, { cause })
  }
}
