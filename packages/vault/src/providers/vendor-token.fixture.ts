import { readFileSync } from 'node:fs'
import pkcs11 from 'pkcs11js'

// Makes a token ready as its vendor's tool would, in a process of its own. Arguments: provider, module, label, PIN file, SO PIN file,
// library parameters.

const [provider, module, label, pinFile, soPinFile, libraryParameters] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  string,
]
const [pin, soPin] = [pinFile, soPinFile].map((path) => readFileSync(path, 'utf8').trim()) as [string, string]
/** What opencryptoki gives every new token. */
const FACTORY_SO_PIN = '87654321'
const FIRST_PIN = 'first471'
const WRITE = pkcs11.CKF_SERIAL_SESSION | pkcs11.CKF_RW_SESSION

const token = new pkcs11.PKCS11()
token.load(module)
token.C_Initialize({ flags: 2, ...(libraryParameters === undefined ? {} : { libraryParameters: `${libraryParameters} ` }) })

/** certutil -N: the database has a name already, and a new one no SO PIN. */
function initialiseNss(): void {
  const slot = token.C_GetSlotList(true).find((s) => token.C_GetTokenInfo(s).label.trim() === label)!
  const session = token.C_OpenSession(slot, WRITE)
  token.C_Login(session, pkcs11.CKU_SO, '')
  token.C_InitPIN(session, pin)
}

/** pkcsconf -I, -P, -u. */
function initialiseOpencryptoki(): void {
  const [slot] = token.C_GetSlotList(true) as [Buffer]
  token.C_InitToken(slot, FACTORY_SO_PIN, label.padEnd(32))
  const session = token.C_OpenSession(slot, WRITE)
  token.C_Login(session, pkcs11.CKU_SO, FACTORY_SO_PIN)
  token.C_SetPIN(session, FACTORY_SO_PIN, soPin)
  token.C_InitPIN(session, FIRST_PIN)
  token.C_Logout(session)
  // A PIN that the SO gave must be changed by the user before anything else.
  token.C_Login(session, pkcs11.CKU_USER, FIRST_PIN)
  token.C_SetPIN(session, FIRST_PIN, pin)
}

function logIn(): void {
  const [slot] = token.C_GetSlotList(true) as [Buffer]
  token.C_Login(token.C_OpenSession(slot, WRITE), pkcs11.CKU_USER, pin)
}

if (provider === 'log-in') logIn()
if (provider === 'nss') initialiseNss()
if (provider === 'opencryptoki') initialiseOpencryptoki()
token.C_Finalize()
