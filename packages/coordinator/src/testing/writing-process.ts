import { openPglite } from '../database/pglite.ts'
import { Records } from '../record-store.ts'
import { answerOf, signingRecord } from './records.ts'

/** Admits requests until it is killed, and prints each when it is acknowledged. */
const [path = ''] = process.argv.slice(2)
const records = new Records(await openPglite(path), { owner: 'hub/1', isKeeper: true })
for (let n = 2; ; n += 4) {
  const turn = [n, n + 1, n + 2, n + 3]
  await Promise.all(
    turn.map(async (i) => {
      await records.admit(signingRecord(i), `h${i}`, answerOf(i))
      process.stdout.write(`${i}\n`)
    }),
  )
}
