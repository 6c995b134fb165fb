import { canonicalJson, concat, fromHex, messageOf, parseCanonicalJson, parseKeyId, tagged, toHex, u32, utf8 } from '@conclave/core'
import { type PayloadFacts, undecodable } from './payload-facts.ts'

/** What a node signs to show that it can: it says who drills what, and stands for nothing else. */
export interface Drill {
  /** 32 bytes, hex. */
  readonly clusterId: string
  readonly keyId: string
  /** The node, and its HSM that is out of service meanwhile. */
  readonly node: string
  readonly hsm: string
  /** Milliseconds since the Unix epoch. */
  readonly atMs: number
}

export interface DecodedDrill extends PayloadFacts, Drill {
  readonly type: 'drill'
  readonly digest: Uint8Array
}

const FORMAT = 'conclave-drill/1'
const BYTES_MAX = 512
const CLUSTER_ID = /^[0-9a-f]{64}$/
const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/
/** The last time that has a text. */
const AT_MS_MAX = 8.64e15

/** Two words of 32 bits, the higher one first. */
const u64 = (value: number) => concat(u32(Math.floor(value / 2 ** 32)), u32(value % 2 ** 32))

/** What is signed: by its domain it can be the digest of nothing else. 32 bytes. */
function digestOf({ clusterId, keyId, node, hsm, atMs }: Drill): Uint8Array {
  return tagged('hsm-drill', fromHex(clusterId), utf8(keyId), utf8(node), utf8(hsm), u64(atMs))
}

/** The bytes of a payload of type `drill`: JSON, in one way only. */
export function encodeDrill({ clusterId, keyId, node, hsm, atMs }: Drill): Uint8Array {
  return utf8(canonicalJson({ format: FORMAT, clusterId, keyId, node, hsm, at: new Date(atMs).toISOString() }))
}

function readDrill(bytes: Uint8Array): Drill {
  const value = parseCanonicalJson(bytes) as Readonly<Record<string, unknown>>
  const { clusterId, keyId, node, hsm, at } = value ?? {}
  const isText = [clusterId, keyId, node, hsm, at].every((field) => typeof field === 'string')
  const atMs = Date.parse(String(at))
  const names = [node, hsm].every((name) => NAME.test(String(name)))
  if (!isText || !CLUSTER_ID.test(String(clusterId)) || !names || !(atMs >= 0 && atMs <= AT_MS_MAX)) undecodable('drill', 'not a drill')
  return { clusterId: String(clusterId), keyId: parseKeyId(String(keyId)), node: String(node), hsm: String(hsm), atMs }
}

/** @throws {InvalidArgument} PAYLOAD_UNDECODABLE unless these are exactly the bytes that {@link encodeDrill} makes. */
export function decodeDrill(payload: Uint8Array): DecodedDrill {
  if (payload.length > BYTES_MAX) undecodable('drill', `at most ${BYTES_MAX} bytes`)
  let drill: Drill
  try {
    drill = readDrill(payload)
  } catch (error) {
    undecodable('drill', messageOf(error))
  }
  if (toHex(encodeDrill(drill)) !== toHex(payload)) undecodable('drill', 'not in the one way in which a drill is written')
  const digest = digestOf(drill)
  return {
    ...drill,
    type: 'drill',
    digest,
    digests: [{ digest, path: undefined }],
    changePaths: [],
    ...{ chainId: undefined, destinations: [], amounts: [], feeMax: 0n, call: 'none', method: undefined },
    summary: [
      { label: 'Type', value: 'Drill of an HSM: moves nothing' },
      { label: 'Cluster', value: drill.clusterId },
      { label: 'Key', value: drill.keyId },
      { label: 'Node', value: drill.node },
      { label: 'HSM out of service', value: drill.hsm },
      { label: 'Time', value: new Date(drill.atMs).toISOString() },
      { label: 'Digest', value: `0x${toHex(digest)}` },
    ],
  }
}
