/** Lengths that messages are bound to, apart from the readers of what they measure: those need libraries that a session has no use for. */

/** Characters of a YAML file that is read at all. */
export const YAML_CHARS_MAX: number = 1 << 20
/** Bytes of an erasure record in its JSON form, at most. */
export const ERASURE_BYTES_MAX = 2048
