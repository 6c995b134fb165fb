import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError } from '@conclave/core'
import { expect } from 'chai'
import { markdownTable, replaceSection, writeSection } from './document.ts'

const PAGE = 'before\n<!-- begin one -->\nold\n<!-- end one -->\nbetween\n<!-- begin two -->\n<!-- end two -->\nafter\n'
const codeOfThrown = (work: () => void): string => {
  try {
    work()
  } catch (error) {
    if (error instanceof ConfigError) return error.code
    throw error
  }
  return 'nothing'
}

describe('bench: the page', () => {
  it('bench: a section is replaced and the rest of the page stays', () => {
    const page = replaceSection(PAGE, 'one', 'new')
    expect(page).to.equal(PAGE.replace('\nold\n', '\n\nnew\n\n'))
    expect(replaceSection(page, 'one', 'new')).to.equal(page)
    expect(replaceSection(PAGE, 'two', 'x'))
      .to.include('old')
      .and.to.include('<!-- begin two -->\n\nx\n\n<!-- end two -->\nafter')
  })

  it('bench: a page without the section, or with two of them, is refused', () => {
    const broken = [PAGE, `${PAGE}${PAGE}`, PAGE.replace('<!-- end one -->', ''), '']
    const names = ['three', 'one', 'one', 'one']
    for (const [i, page] of broken.entries())
      expect(codeOfThrown(() => replaceSection(page, names[i] ?? '', 'x'))).to.equal('BENCH_BAD_PAGE')
  })

  it('bench: section and charts are written beside each other', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'conclave-page-'))
    try {
      expect(codeOfThrown(() => writeSection(dir, 'one', 'x', {}))).to.equal('BENCH_NO_PAGE')
      await writeFile(join(dir, 'benchmarks.md'), PAGE)
      const groups = [{ label: 'a', bars: [{ series: 's', value: 1, text: '1' }] }]
      writeSection(dir, 'one', 'x', { made: { title: 't', axis: 'ms', scale: 'linear', groups } })
      expect(await readFile(join(dir, 'benchmarks.md'), 'utf8')).to.equal(replaceSection(PAGE, 'one', 'x'))
      expect(await readFile(join(dir, 'benchmarks', 'made.svg'), 'utf8')).to.match(/^<svg .*<\/svg>\n$/s)
    } finally {
      await rm(dir, { recursive: true })
    }
  })

  it('bench: a cell of a table cannot end its column', () => {
    expect(markdownTable(['a', 'b'], [['1|2', '3']])).to.equal('| a | b |\n|---|---|\n| 1\\|2 | 3 |')
  })
})
