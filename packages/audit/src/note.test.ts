import { utf8 } from '@conclave/core'
import { expect } from 'chai'
import { type CheckpointKeys, openCheckpoint, originOf } from './checkpoint.ts'
import { keysFromLocks } from './lock-keys.ts'
import { MlDsaSigner } from './ml-dsa.ts'
import { formatNote, NOTE_SIGNATURES_MAX, type NoteSignature, parseNote } from './note.ts'
import { logKeyId, mlDsaVerifier, signText } from './note-keys.ts'
import { CLUSTER_ID, keysOf, NOW_S, signedCheckpoint, signerOf, testLock, testSigner } from './signed-log.fixture.ts'

const HEAD = { size: 3, root: new Uint8Array(32).fill(7) }
const codeOf = (act: () => unknown): string => {
  try {
    act()
    return ''
  } catch (error) {
    return (error as { code: string }).code
  }
}
const opened = (note: Uint8Array, keys: CheckpointKeys, strict = true) => codeOf(() => openCheckpoint(note, keys, { strict }))

describe('signed note', () => {
  it('a note of the specification: is read, and written again as it was', () => {
    const text =
      'Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n' +
      '\u2014 quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n'
    const note = parseNote(utf8(text))
    expect(note.text.endsWith('ed è subito sera.\n')).equals(true)
    expect(note.signatures.map((s) => [s.name, s.signature.length])).deep.equals([['quasimodo.example/salvatore', 64]])
    expect(Buffer.from(formatNote(note)).toString()).equals(text)
  })

  it('what is not exactly a note: is refused', async () => {
    const text = new TextDecoder().decode(await signedCheckpoint('n1', HEAD, { cosigners: [] }))
    const line = `${text.trimEnd().split('\n').at(-1)}\n`
    const bad = [
      '',
      'text\n',
      text.slice(0, -1),
      text.replace('\n\n', '\n'),
      text.replace('\u2014', '-'),
      text.replace('\u2014 ', '\u2014  '),
      `${text}\n`,
      `${text}\u2014 name \n`,
      `${text}\u2014 na+me AAAAAAAA\n`,
      `${text}\u2014 name AAAAAA==\n`,
      `${text}\u2014 name AAAAAAAB=\n`,
      `${text.slice(0, -2)}\n`,
      text.replace('conclave', 'con\tclave'),
      text.replace('conclave', 'con\rclave'),
      text + line.repeat(NOTE_SIGNATURES_MAX),
    ]
    for (const note of bad)
      expect(
        codeOf(() => parseNote(utf8(note))),
        JSON.stringify(note),
      ).equals('BAD_NOTE')
    expect(codeOf(() => parseNote(Uint8Array.of(0xff, 10, 10)))).equals('BAD_NOTE')
    expect(codeOf(() => parseNote(utf8(`${'x'.repeat(200_000)}\n\n${line}`)))).equals('BAD_NOTE')
  })

  it('base64 that stands for the same bytes in another way: is refused', async () => {
    const text = new TextDecoder().decode(await signedCheckpoint('n1', HEAD, { cosigners: [] }))
    // The last character before "=" holds bits that no byte has.
    const other = text.replace(/([A-Za-z0-9+/])=\n$/, (_, c: string) => `${String.fromCharCode(c.charCodeAt(0) + 1)}=\n`)
    expect(other).not.equals(text)
    expect(['BAD_NOTE', 'CHECKPOINT_UNSIGNED']).includes(opened(utf8(other), keysOf('n1', 0)))
  })
})

describe('checkpoint', () => {
  const names = ['n1', 'n3', 'n4'] as const

  for (const name of names) {
    it(`of ${signerOf(name).key.type}: every byte of it that is changed is found`, async () => {
      const note = await signedCheckpoint(name, HEAD, { cosigners: name === 'n3' ? ['n2', 'n4'] : ['n2', 'n5'] })
      expect(opened(note, keysOf(name))).equals('')
      for (let at = 0; at < note.length; at++) {
        const changed = note.map((b, i) => (i === at ? b ^ (1 << (at % 7)) : b))
        expect(opened(changed, keysOf(name)), `byte ${at}`).not.equals('')
      }
    })
  }

  it('key ids: of Ed25519 and P-256 are those of signed-note, and no two are the same', () => {
    const { key } = testSigner('x')
    const ids = (['ed25519', 'secp256k1', 'p256'] as const).map((type) =>
      Buffer.from(logKeyId('x', testSigner('x', type).key)).toString('hex'),
    )
    expect(new Set(ids).size).equals(3)
    expect(logKeyId('y', key)).not.deep.equals(logKeyId('x', key))
  })

  it('form: other lines, sizes and roots are refused', async () => {
    const text = new TextDecoder().decode(await signedCheckpoint('n1', HEAD))
    const root = text.split('\n')[2] as string
    for (const change of [
      [/\n3\n/, '\n03\n'],
      [/\n3\n/, '\n-3\n'],
      [/\n3\n/, '\n3 \n'],
      [/\n3\n/, '\n3\nextension\n'],
      [/\n3\n/, '\n9999999999999\n'],
      [root, root.slice(0, -1)],
      [root, `${root}\n`],
      ['conclave/', 'con clave/'],
    ] as const) {
      expect(['BAD_CHECKPOINT', 'BAD_NOTE']).includes(opened(utf8(text.replace(change[0], change[1])), keysOf('n1')))
    }
  })

  it('cosigners: as many as are required must have signed, distinct, and none from the future', async () => {
    const keys = (required: number, nowS = NOW_S) => keysFromLocks([testLock], 'n1', { required, nowS })
    const note = await signedCheckpoint('n1', HEAD, { cosigners: ['n2', 'n3'] })
    expect(opened(note, keys(2))).equals('')
    expect(opened(note, keys(3))).equals('CHECKPOINT_UNWITNESSED')
    expect(opened(note, keys(2, NOW_S - 299))).equals('')
    expect(opened(note, keys(2, NOW_S - 301))).equals('BAD_CHECKPOINT')
    expect(opened(await signedCheckpoint('n1', HEAD, { cosigners: ['n1', 'n2'] }), keys(2))).equals('BAD_CHECKPOINT')
  })

  it('one who signs twice, and a text of another log under its name: are refused', async () => {
    const { text, signatures } = parseNote(await signedCheckpoint('n1', HEAD, { cosigners: ['n2'] }))
    const [own, cosignature] = signatures as [NoteSignature, NoteSignature]
    expect(opened(formatNote({ text, signatures: [own, cosignature, cosignature] }), keysOf('n1', 1))).equals('BAD_CHECKPOINT')
    const other = text.replace('/n1', '/n9')
    const signed = await signText(other, originOf(CLUSTER_ID, 'n1'), signerOf('n1'))
    expect(opened(formatNote({ text: other, signatures: [signed] }), keysOf('n1', 0))).equals('BAD_CHECKPOINT')
  })

  it('unknown signatures: are passed over by those who read for others, and found by those who verify', async () => {
    const { text, signatures } = parseNote(await signedCheckpoint('n1', HEAD))
    const stranger = { name: 'conclave/other', keyId: Uint8Array.of(1, 2, 3, 4), signature: new Uint8Array(64) }
    const note = formatNote({ text, signatures: [...signatures, stranger] })
    expect(opened(note, keysOf('n1'), false)).equals('')
    expect(opened(note, keysOf('n1'))).equals('BAD_CHECKPOINT')
  })

  it('ML-DSA-65: when its key is given, it must have signed, and rightly', async () => {
    const origin = originOf(CLUSTER_ID, 'n1')
    const pq = new MlDsaSigner(new Uint8Array(32).fill(3))
    const { text, signatures } = parseNote(await signedCheckpoint('n1', HEAD))
    const line = pq.sign(text, origin)
    const note = formatNote({ text, signatures: [...signatures, line] })
    const keys = { ...keysOf('n1'), pq: [mlDsaVerifier(origin, pq.publicKey)] }
    expect(opened(note, keys)).equals('')
    expect(opened(formatNote({ text, signatures }), keys)).equals('CHECKPOINT_UNSIGNED')
    for (const at of [0, 1000, line.signature.length - 1]) {
      const wrong = { ...line, signature: line.signature.map((b, i) => (i === at ? b ^ 1 : b)) }
      expect(opened(formatNote({ text, signatures: [...signatures, wrong] }), keys)).equals('CHECKPOINT_UNSIGNED')
    }
    // The same seed is the same key.
    expect(new MlDsaSigner(new Uint8Array(32).fill(3)).publicKey).deep.equals(pq.publicKey)
  })
})
