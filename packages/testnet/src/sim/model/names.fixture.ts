/** Prints what the files that the model replaces export in this process. */
import { FILES } from './replaced.ts'

const found: Record<string, { readonly names: readonly string[]; readonly model: boolean }> = {}
for (const [path, url] of FILES) {
  const exported = (await import(url.product)) as object
  const stand = (await import(url.model)) as object
  found[path] = { names: Object.keys(exported), model: exported === stand }
}
process.stdout.write(JSON.stringify(found))
