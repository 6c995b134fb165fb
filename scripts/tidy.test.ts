import { expect } from 'chai'
import { checkLengths } from './tidy/shape.ts'
import { readTree } from './tidy/tree.ts'
import { formatFinding, ROOT, tidy } from './tidy.ts'

const manifest = (name: string, dependencies: readonly string[], more = {}) =>
  JSON.stringify({ name: `@conclave/${name}`, dependencies: Object.fromEntries(dependencies.map((d) => [d, '1.0.0'])), ...more }, null, 2)
const tsconfig = (...paths: readonly string[]) => JSON.stringify({ references: paths.map((path) => ({ path })) })

/** The smallest tree that has something for every rule to look at, and nothing wrong with it. */
const GOOD: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify({ devDependencies: { chai: '1.0.0', '@babel/parser': '1.0.0' } }),
  'tsconfig.json': tsconfig('packages/core', 'packages/mpc', 'packages/vault', 'packages/testnet'),
  'packages/core/package.json': manifest('core', []),
  'packages/core/tsconfig.json': tsconfig(),
  'packages/core/src/index.ts': `import { randomBytes } from 'node:crypto'\nexport const bytes = randomBytes\n`,
  'packages/mpc/package.json': manifest('mpc', ['@conclave/core', '@noble/curves']),
  'packages/mpc/tsconfig.json': tsconfig('../core'),
  'packages/mpc/src/index.ts': `import { bytes } from '@conclave/core'\nimport type { Point } from '@noble/curves/abstract.js'\nexport const b = bytes\nexport type P = Point\n`,
  'packages/mpc/src/index.test.ts': `import { expect } from 'chai'\nimport { setTimeout } from 'node:timers/promises'\nexpect(await setTimeout(1)).to.equal(undefined)\n`,
  'packages/vault/package.json': manifest('vault', ['@conclave/core'], {
    exports: { '.': './src/index.ts', './conformance': './src/conformance.ts' },
  }),
  'packages/vault/tsconfig.json': tsconfig('../core'),
  'packages/vault/src/index.ts': `export * from '@conclave/core'\n`,
  'packages/vault/src/conformance.ts': `import { expect } from 'chai'\nexport const suite = () => expect(1)\n`,
  'packages/testnet/package.json': manifest('testnet', ['anvil-binary']),
  'packages/testnet/tsconfig.json': tsconfig(),
  'packages/testnet/src/index.ts': `export const path = import.meta.resolve('anvil-binary/package.json')\n`,
  'scripts/tidy.ts': `import { parse } from '@babel/parser'\nparse('')\n`,
  'test/tsconfig.json': tsconfig('../packages/mpc', '../packages/testnet', '../packages/vault'),
  'scripts/bench-loop.ts': `import '@conclave/testnet'\n`,
  'test/whole.test.ts': `import '@conclave/mpc'\nimport '@conclave/testnet'\nimport '@conclave/vault/conformance'\n`,
}

/** Findings of the good tree with some files put in its place, as `file:line rule`. */
function findingsWith(files: Readonly<Record<string, string>>): readonly string[] {
  return tidy(new Map(Object.entries({ ...GOOD, ...files }))).map((f) => `${f.file}:${f.line} ${f.rule}`)
}

const CORE = 'packages/core/src/index.ts'
const MPC = 'packages/mpc/src/sign.ts'
const LOCK_WITH_A_GAP = JSON.stringify({ packages: { 'node_modules/a': { optionalDependencies: { 'a-darwin': '1.0.0' } } } }, null, 2)
const lines = (n: number) => 'x()\n'.repeat(n)

/** Each bad tree beside a finding that it must give. */
const BAD: readonly (readonly [claim: string, files: Readonly<Record<string, string>>, expected: string])[] = [
  ['an import that points up', { [CORE]: `import {} from '@conclave/mpc'\n` }, `${CORE}:1 layer`],
  ['a type-only import that points up', { [CORE]: `\nimport type { B } from '@conclave/mpc'\nexport type C = B\n` }, `${CORE}:2 layer`],
  ['an inline import type', { [CORE]: `export type B = import('@conclave/mpc').B\n` }, `${CORE}:1 layer`],
  ['a dynamic import', { [CORE]: `export const later = () => import('@conclave/mpc')\n` }, `${CORE}:1 layer`],
  ['a re-export', { [CORE]: `export { b } from '@conclave/mpc'\n` }, `${CORE}:1 layer`],
  ['a require', { [CORE]: `declare const require: (name: string) => unknown\nrequire('@conclave/mpc')\n` }, `${CORE}:2 layer`],
  ['testnet imported by a package', { [CORE]: `import '@conclave/testnet'\n` }, `${CORE}:1 layer`],
  ['testnet imported by a script', { 'scripts/a.ts': `import '@conclave/testnet'\n` }, 'scripts/a.ts:1 layer'],
  ['a package that nobody designed', { 'test/a.ts': `import '@conclave/extra'\n` }, 'test/a.ts:1 layer'],
  ['a directory that nobody designed', { 'packages/extra/package.json': manifest('extra', []) }, 'packages/extra/package.json:2 layer'],
  ['a deep import by name', { 'test/a.ts': `import '@conclave/vault/src/agent'\n` }, 'test/a.ts:1 layer'],
  ['a conformance suite in a source', { 'scripts/a.ts': `import '@conclave/vault/conformance'\n` }, 'scripts/a.ts:1 layer'],
  ['a deep import by path', { 'test/a.ts': `import '../packages/mpc/src/index.ts'\n` }, 'test/a.ts:1 deep-import'],
  ['a path into a sibling package', { [CORE]: `import '../../mpc/src/index.ts'\n` }, `${CORE}:1 deep-import`],
  ['a source that imports a test', { [MPC]: `import './index.test.ts'\n` }, `${MPC}:1 deep-import`],
  ['an undeclared library', { [CORE]: `import 'yaml'\n` }, `${CORE}:1 library`],
  ['a test library in a source', { [CORE]: `import 'chai'\n` }, `${CORE}:1 library`],
  ['a library that is not @noble in mpc', { [MPC]: `import 'yaml'\n` }, `${MPC}:1 library`],
  ['an undeclared library in a script', { 'scripts/a.ts': `import 'yaml'\n` }, 'scripts/a.ts:1 library'],
  ['a dependency without an import', { 'packages/core/package.json': manifest('core', ['yaml']) }, 'packages/core/package.json:4 library'],
  ['a forbidden dependency', { 'packages/core/package.json': manifest('core', ['@conclave/mpc']) }, 'packages/core/package.json:4 layer'],
  [
    'an undeclared sibling',
    { 'packages/vault/package.json': manifest('vault', [], { exports: { './conformance': '' } }) },
    'packages/vault/package.json:2 library',
  ],
  ['a reference without an import', { 'packages/core/tsconfig.json': tsconfig('../mpc') }, 'packages/core/tsconfig.json:1 reference'],
  ['an import without a reference', { 'packages/mpc/tsconfig.json': tsconfig() }, 'packages/mpc/tsconfig.json:1 reference'],
  [
    'a test import without a reference',
    { 'test/tsconfig.json': tsconfig('../packages/mpc', '../packages/testnet') },
    'test/tsconfig.json:1 reference',
  ],
  [
    'a package that the root does not check',
    { 'tsconfig.json': tsconfig('packages/core', 'packages/mpc', 'packages/vault') },
    'tsconfig.json:1 reference',
  ],
  ['a long file', { 'test/a.ts': lines(301) }, 'test/a.ts:301 length'],
  ['a long shell script', { 'scripts/demo': lines(301) }, 'scripts/demo:301 length'],
  ['a long function', { [MPC]: `\nexport function f() {\n${lines(69)}}\n` }, `${MPC}:2 length`],
  ['a long method', { [MPC]: `export class A {\n  m() {\n${lines(69)}}\n}\n` }, `${MPC}:2 length`],
  ['a long arrow function', { [MPC]: `export const f = () => {\n${lines(69)}}\n` }, `${MPC}:1 length`],
  ['a banned word in an exported class', { [CORE]: `\nexport class SessionManager {}\n` }, `${CORE}:2 name`],
  ['a banned word in an exported plural', { [CORE]: `export const allParticipants = 1\n` }, `${CORE}:1 name`],
  ['a banned word in an export list', { [CORE]: `const a = 1\nexport { a as helper }\n` }, `${CORE}:2 name`],
  ['a banned word in an exported type', { [CORE]: `export interface PlayerId {}\n` }, `${CORE}:1 name`],
  ['a banned word in a file name', { 'packages/core/src/key-manager.ts': '' }, 'packages/core/src/key-manager.ts:1 name'],
  ['a file name that says nothing', { 'packages/core/src/utils.ts': '' }, 'packages/core/src/utils.ts:1 name'],
  ['a file name in camel case', { 'packages/core/src/secretBytes.ts': '' }, 'packages/core/src/secretBytes.ts:1 name'],
  ['a default export', { [CORE]: `export default 1\n` }, `${CORE}:1 form`],
  ['a default export by renaming', { [CORE]: `const a = 1\nexport { a as default }\n` }, `${CORE}:2 form`],
  ['an enum', { [CORE]: `export enum A { B }\n` }, `${CORE}:1 form`],
  ['a namespace', { [CORE]: `export namespace A {}\n` }, `${CORE}:1 form`],
  ['a cast to any', { [CORE]: `export const a = 1 as any\n` }, `${CORE}:1 form`],
  ['the console', { [CORE]: `\n\nconsole.log(1)\n` }, `${CORE}:3 form`],
  ['a test that runs alone', { 'test/a.ts': `it.only('a', () => {})\n` }, 'test/a.ts:1 form'],
  ['a path of this machine', { 'docs/a.md': `\nsee ${['', 'work', 'main'].join('/')}\n` }, 'docs/a.md:2 machine'],
  ['a registry', { '.npmrc': `registry${'='}https://example.org\n` }, '.npmrc:1 machine'],
  [
    'a registry in the lock file',
    { 'package-lock.json': `{\n"resolved"${': '}"https://example.org/a.tgz"}\n` },
    'package-lock.json:2 machine',
  ],
  ['a platform that the lock file left out', { 'package-lock.json': LOCK_WITH_A_GAP }, 'package-lock.json:5 lock'],
  ['what does not parse', { [CORE]: `\nlet let = {\n` }, `${CORE}:2 syntax`],
]

const IMPURE: Readonly<Record<string, string>> = {
  async: 'export const f = async () => 1',
  await: 'export const a = await b()',
  'for await': 'for await (const a of b) a()',
  Promise: 'export const a = Promise.resolve(1)',
  'Promise as a type': 'export type A = Promise<number>',
  Date: 'export const a = Date.now()',
  'Math.random': 'export const a = Math.random()',
  process: 'export const a = process.env',
  'process as a shorthand': 'export const a = { process }',
  setTimeout: 'setTimeout(f, 1)',
  require: 'export const a = require',
  'a node module': `import 'node:fs'`,
}

describe('tidy', () => {
  it('the good tree has no finding', () => {
    expect(findingsWith({})).to.deep.equal([])
  })

  for (const [claim, files, expected] of BAD) {
    it(`${claim} is found`, () => {
      expect(findingsWith(files)).to.include(expected)
    })
  }

  for (const [claim, text] of Object.entries(IMPURE)) {
    it(`mpc: ${claim} is found`, () => {
      expect(findingsWith({ [MPC]: `\n${text}\n` })).to.include(`${MPC}:2 purity`)
    })
  }

  it('mpc: what only looks impure is not found', () => {
    const text = `// async await Date process\nexport const a = { process: 1, Date: \`await \${b.process} Promise\` }\nexport const c = /require(setTimeout)/\n`
    expect(findingsWith({ [MPC]: text })).to.deep.equal([])
    expect(findingsWith({ 'packages/mpc/src/sign.test.ts': 'export const a = async () => Date.now()\n' })).to.deep.equal([])
  })

  it('names that are not exported, comments and strings may use any word', () => {
    expect(findingsWith({ [CORE]: `// manager\nconst connectionManager = 'helper'\nexport const a = connectionManager\n` })).to.deep.equal(
      [],
    )
  })

  it('limits are inclusive, and tests may have long functions', () => {
    expect(findingsWith({ 'test/a.ts': lines(300), [MPC]: `export function f() {\n${lines(68)}}\n` })).to.deep.equal([])
    expect(findingsWith({ 'packages/mpc/src/sign.test.ts': `export function f() {\n${lines(100)}}\n` })).to.deep.equal([])
  })

  it('a long file needs a reason, and a reason needs a long file', () => {
    const long = new Map([['test/a.ts', lines(301)]])
    expect(checkLengths(long, [], { 'test/a.ts': 'one table' })).to.deep.equal([])
    expect(checkLengths(new Map([['test/a.ts', '']]), [], { 'test/a.ts': 'one table' })).to.have.length(1)
  })

  it('this repository has no finding', () => {
    expect(tidy(readTree(ROOT)).map(formatFinding)).to.deep.equal([])
  })
})
