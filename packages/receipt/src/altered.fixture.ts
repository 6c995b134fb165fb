/** Every receipt that differs from another one in one place of its JSON. */
type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

export interface Altered {
  /** Where, and how. */
  readonly what: string
  readonly value: Json
}

function otherText(text: string): readonly string[] {
  const last = text.at(-1) ?? ''
  const digit = /^[0-9a-f]$/.test(last) ? (last === '0' ? '1' : '0') : `${last}x`
  const flipped = text.slice(0, -1) + digit
  return text === '' ? ['00'] : [flipped, text.slice(0, -2), `00${text}`, text.toUpperCase()].filter((t) => t !== text)
}

function othersOf(value: Json): readonly Json[] {
  if (value === null) return [0, '', [], {}]
  if (typeof value === 'string') return [...otherText(value), null]
  if (typeof value === 'number') return [value + 1, -1, String(value), null]
  if (typeof value === 'boolean') return [!value]
  if (Array.isArray(value)) {
    const swapped = value.length > 1 ? [[value[1] as Json, value[0] as Json, ...value.slice(2)]] : []
    const last = value.length > 0 ? [value.slice(0, -1), [...value, value.at(-1) as Json], value.slice(1)] : [['00']]
    return [...last, ...swapped, null].filter((v) => JSON.stringify(v) !== JSON.stringify(value))
  }
  const names = Object.keys(value)
  const without = names.map((name) => Object.fromEntries(Object.entries(value).filter(([n]) => n !== name)))
  return [...without, { ...value, more: 1 }, null]
}

/** @param at - where `value` stands. */
export function* alterations(value: Json, at = 'receipt'): Generator<Altered> {
  for (const [i, other] of othersOf(value).entries()) yield { what: `${at}, alteration ${i}`, value: other }
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries())
      for (const a of alterations(item, `${at}.${i}`)) yield { ...a, value: value.map((v, j) => (j === i ? a.value : v)) }
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, item] of Object.entries(value))
      for (const a of alterations(item, `${at}.${name}`)) yield { ...a, value: { ...value, [name]: a.value } }
  }
}
