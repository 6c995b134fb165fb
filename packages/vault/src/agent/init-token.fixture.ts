import type { PinSource } from '../settings.ts'
import { Cryptoki } from './cryptoki.ts'
import { readPin } from './pin.ts'

// Makes one more token of a label in a process of its own, empty and with a user PIN, as a vendor's tool would; our own ceremony
// refuses a second one of the same label. Arguments: library, label, user PIN and SO PIN sources as JSON. Prints its serial.

const [module, label, pin, soPin] = process.argv.slice(2) as [string, string, string, string]
const sourceOf = (json: string) => readPin(JSON.parse(json) as PinSource)
const cryptoki = new Cryptoki(module)
cryptoki.initialise()
const before = cryptoki.tokens()
const free = before.find((t) => !t.initialised)
if (free === undefined) throw new Error('no free slot')
cryptoki.initToken(free.slot, sourceOf(soPin), label)
const made = cryptoki.tokens().find((t) => t.initialised && t.label === label && !before.some((b) => b.serial === t.serial))
if (made === undefined) throw new Error('the new token is not there')
const session = cryptoki.openSession(made.slot, 'write')
session.login('so', sourceOf(soPin))
session.initPin(sourceOf(pin))
session.logout()
session.close()
cryptoki.finalise()
process.stdout.write(made.serial)
