import { expect } from 'chai'
import { checkDisk, type DiskFacts, type StoreFacts } from './disk-check.ts'
import { known, unknown } from './finding.ts'
import { codesOf, findingsOf, skippedIn } from './results.fixture.ts'

const GIB = 2 ** 30
const DISK: DiskFacts = {
  path: '/n/store',
  freeBytes: 10 * GIB,
  freeInodes: 1e6,
  fileSystem: 'ext4',
  isWritable: true,
  fsyncError: undefined,
}
const STORE: StoreFacts = { storePath: '/n/store', storeThere: true, keyFile: '/n/store.key', keyThere: true, ownerUid: 1000, files: [] }
const disk = (change: Partial<DiskFacts>) => codesOf(checkDisk(known({ ...DISK, ...change }), known(STORE)))
const store = (change: Partial<StoreFacts>) => codesOf(checkDisk(known(DISK), known({ ...STORE, ...change })))
const file = (mode: number, isPrivate: boolean, uid = 1000) => store({ files: [{ path: '/n/f', mode, uid, isPrivate, what: 'it' }] })

describe('doctor: disk', () => {
  it('disk: room on a local disk is no finding', () => {
    expect(disk({})).to.deep.equal([])
    expect(disk({ freeInodes: undefined, fileSystem: undefined })).to.deep.equal([])
  })

  it('disk: low, full, without inodes', () => {
    expect(disk({ freeBytes: GIB - 1 })).to.deep.equal(['DISK_LOW'])
    expect(disk({ freeBytes: 0 })).to.deep.equal(['DISK_FULL'])
    expect(disk({ freeInodes: 10 })).to.deep.equal(['DISK_LOW'])
  })

  it('disk: read-only, without fsync, in memory, over the network', () => {
    expect(disk({ isWritable: false })).to.deep.equal(['DISK_READ_ONLY'])
    expect(disk({ fsyncError: 'EINVAL' })).to.deep.equal(['FSYNC_FAILS'])
    expect(disk({ fileSystem: 'tmpfs' })).to.deep.equal(['STORE_ON_TMPFS'])
    expect(disk({ fileSystem: 'nfs' })).to.deep.equal(['STORE_ON_NETWORK'])
  })

  it('store: without its database, without its key', () => {
    expect(store({ storeThere: false })).to.deep.equal(['STORE_MISSING'])
    expect(store({ keyThere: false })).to.deep.equal(['STORE_MISSING'])
  })

  it('files: what others may change or read, or own', () => {
    expect(file(0o600, true)).to.deep.equal([])
    expect(file(0o644, false)).to.deep.equal([])
    expect(file(0o664, false)).to.deep.equal(['FILE_WRITABLE'])
    expect(file(0o644, true)).to.deep.equal(['FILE_READABLE'])
    expect(file(0o600, true, 1001)).to.deep.equal(['FILE_OWNER'])
    expect(file(0o600, true, 0)).to.deep.equal([])
  })

  it('files: the fix is the command', () => {
    const files = [{ path: '/n/f', mode: 0o666, uid: 1000, isPrivate: true, what: 'it' }]
    expect(findingsOf(checkDisk(known(DISK), known({ ...STORE, files }))).map((f) => f.fix)).to.deep.equal(['chmod go-w /n/f'])
  })

  it('disk: what cannot be looked at is skipped by name', () => {
    expect(skippedIn(checkDisk(unknown('a'), unknown('b')))).to.deep.equal(['disk', 'store', 'files'])
  })
})
