// Appends to a log until it is killed, makes tiles all the time, and says how many entries are durable.
import { openLog, testEntry } from './signed-log.fixture.ts'

const log = await openLog(process.argv[2] as string)
const flush = async (): Promise<void> => {
  for (;;) await log.flush()
}
void flush()
for (;;) {
  const first = log.size
  await Promise.all(Array.from({ length: 1 + (first % 5) }, (_, i) => log.append(testEntry('n1', first + i))))
  process.stdout.write(`${log.size}\n`)
}
