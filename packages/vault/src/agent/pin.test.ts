import { execFileSync } from 'node:child_process'
import { chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { temporaryDirectory } from '../softhsm-rig.fixture.ts'
import { AgentFault } from './fault.ts'
import { readPin } from './pin.ts'

const PIN = 'geheim-0815'

describe('PIN sources', () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>

  beforeEach(async () => {
    directory = await temporaryDirectory()
  })

  afterEach(async () => {
    delete process.env.CREDENTIALS_DIRECTORY
    delete process.env.VAULT_TEST_PIN
    await directory.remove()
  })

  function file(content: string, mode: number, name = 'pin'): string {
    const path = join(directory.path, name)
    writeFileSync(path, content)
    execFileSync('chmod', [mode.toString(8), path])
    return path
  }

  function refused(source: Parameters<typeof readPin>[0]): string {
    try {
      readPin(source)
    } catch (error) {
      expect(error).to.be.instanceOf(AgentFault)
      expect((error as AgentFault).code).to.equal('PIN_SOURCE')
      expect((error as AgentFault).message).not.to.include(PIN)
      return (error as AgentFault).message
    }
    throw new Error('expected the source to be refused')
  }

  for (const ending of ['', '\n', '\r\n']) {
    it(`file: is read without its ending ${JSON.stringify(ending)}`, () => {
      expect(readPin({ file: file(PIN + ending, 0o400) }).toString()).to.equal(PIN)
    })
  }

  it('file: only one line break is taken off, nothing else', () => {
    expect(readPin({ file: file(` ${PIN} \n\n`, 0o600) }).toString()).to.equal(` ${PIN} \n`)
  })

  for (const mode of [0o440, 0o404, 0o420, 0o644, 0o401]) {
    it(`file: mode ${mode.toString(8)} is refused`, () => {
      expect(refused({ file: file(PIN, mode) })).to.include('0400')
    })
  }

  it('file: missing, empty, too long, a directory and a pipe are refused', () => {
    refused({ file: join(directory.path, 'nothing') })
    refused({ file: file('', 0o400, 'empty') })
    refused({ file: file('\n', 0o400, 'line') })
    refused({ file: file('x'.repeat(257), 0o400, 'long') })
    mkdirSync(join(directory.path, 'dir'), { mode: 0o700 })
    refused({ file: join(directory.path, 'dir') })
    execFileSync('mkfifo', ['-m', '600', join(directory.path, 'pipe')])
    refused({ file: join(directory.path, 'pipe') })
  })

  it("file: another user's is refused", function () {
    if (process.getuid?.() !== 0) this.skip()
    const path = file(PIN, 0o400)
    chownSync(path, 12345, 12345)
    expect(refused({ file: path })).to.include('another user')
  })

  it('credential: is read from the service directory, where group bits are an ACL mask', () => {
    process.env.CREDENTIALS_DIRECTORY = directory.path
    file(PIN, 0o440, 'hsm-pin')
    expect(readPin({ credential: 'hsm-pin' }).toString()).to.equal(PIN)
    file(PIN, 0o444, 'open-pin')
    refused({ credential: 'open-pin' })
  })

  it('credential: without a service directory is refused', () => {
    refused({ credential: 'hsm-pin' })
  })

  it('env: is deleted once it was read', () => {
    process.env.VAULT_TEST_PIN = PIN
    expect(readPin({ env: 'VAULT_TEST_PIN' }).toString()).to.equal(PIN)
    expect(process.env.VAULT_TEST_PIN).to.equal(undefined)
    refused({ env: 'VAULT_TEST_PIN' })
  })
})
