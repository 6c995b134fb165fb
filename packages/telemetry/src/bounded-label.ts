/** What a metric says in place of a value that it has no room for, or that is no name. */
const OTHER = 'OTHER'
const VALUES_MAX = 64
/** Printable, and nothing that a metric would have to escape. */
const NAME = /^[!#-[\]-~][ !#-[\]-~]{0,127}$/

/**
 * Makes label values of what others may have written, such as an error code that came over a link: the first 64 different names stay as they
 * are, everything else is `OTHER`. So no caller and no peer can make a metric grow.
 */
export function boundedLabel(valuesMax = VALUES_MAX): (value: string) => string {
  const known = new Set<string>()
  return (value) => {
    if (known.has(value)) return value
    if (known.size >= valuesMax || !NAME.test(value)) return OTHER
    known.add(value)
    return value
  }
}
