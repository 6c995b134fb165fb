import { fdatasyncSync } from 'node:fs'
import { NodeFS } from '@electric-sql/pglite/nodefs'

interface Streams {
  readonly NODEFS: { readonly stream_ops: { fsync?: (stream: { readonly nfd: number }) => number } }
}

/**
 * Files that are on disk when PostgreSQL has asked for that. PGlite's own do not pass an fsync on, so that a power cut could take what was
 * committed, or leave pages that are ahead of the log.
 */
export class DurableFiles extends NodeFS {
  override async init(...args: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(...args)
    const syncing = (module: unknown) => {
      ;(module as Streams).NODEFS.stream_ops.fsync = ({ nfd }) => {
        fdatasyncSync(nfd)
        return 0
      }
    }
    const { preRun } = emscriptenOpts
    const before = preRun === undefined ? [] : Array.isArray(preRun) ? preRun : [preRun]
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...before, syncing] } }
  }
}
