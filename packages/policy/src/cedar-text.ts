/** A string of the Cedar language: whatever is not plain ASCII is escaped, so that no text ends its literal. */
export function quoted(text: string): string {
  const escaped = (char: string) => (char === '"' || char === '\\' ? `\\${char}` : `\\u{${(char.codePointAt(0) as number).toString(16)}}`)
  return `"${text.replaceAll(/[^ !#-[\]-~]/gu, escaped)}"`
}

/** A set of strings. */
export const setOf = (values: readonly (string | bigint)[]): string => `[${values.map((v) => quoted(String(v))).join(', ')}]`

/** A set of entities of one type. */
export const entities = (type: 'Key' | 'Requester', ids: readonly string[]): string =>
  `[${ids.map((id) => `${type}::${quoted(id)}`).join(', ')}]`

/** What is asked of the set of facts that hold, which we compute: exact amounts, sums, times and patterns. */
export const holds = (fact: string): string => `context.holds.contains(${quoted(fact)})`

/** What every generated policy keeps to, and every request that is put to Cedar. */
export const CEDAR_SCHEMA = `entity Requester;
entity Key = { role?: String, tags: Set<String> };
type Payload = {
  chain?: String,
  destinations?: Set<String>,
  call: String,
  method?: String,
  tokens: Set<String>,
  drilled?: Key,
  holds: Set<String>,
};
action "evm.tx", "eip712", "btc.psbt", "raw", "drill" appliesTo {
  principal: [Requester],
  resource: [Key],
  context: Payload,
};
`

/** Stands for a requester whom nobody knows; no name is empty. */
export const NOBODY = ''
