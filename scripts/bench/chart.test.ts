import { expect } from 'chai'
import { type BarChart, barChart, scaleOf } from './chart.ts'

const chart = (change: Partial<BarChart> = {}): BarChart => ({
  title: 'Time',
  axis: 'ms',
  scale: 'linear',
  groups: [
    {
      label: 'a signature',
      bars: [
        { series: 'ours', value: 2, text: '2 ms' },
        { series: 'theirs', value: 40, text: '40 ms' },
      ],
    },
    { label: 'a key', bars: [{ series: 'theirs', value: 10, text: '10 ms' }] },
  ],
  ...change,
})

/** Names of the elements, and an error when one is not closed, or text holds what only markup may. */
function elementsOf(svg: string): readonly string[] {
  const names: string[] = []
  const open: string[] = []
  const rest = svg.replaceAll(/<(\/?)([a-z]+)((?:\s+[a-zA-Z0-9-]+="[^"<]*")*)\s*(\/?)>/g, (_, closing, name, __, single) => {
    if (closing !== '') expect(open.pop()).to.equal(name)
    else {
      names.push(name)
      if (single === '') open.push(name)
    }
    return ''
  })
  expect(open).to.deep.equal([])
  expect(rest).not.to.match(/[<>]|&(?!(amp|lt|gt|quot);)/)
  return names
}

const widths = (svg: string) => [...svg.matchAll(/<rect x="250" y="\d+" width="([\d.]+)" height="15"/g)].map((m) => Number(m[1]))

describe('bench: charts', () => {
  it('bench: a chart is well formed, whatever stands in its names', () => {
    const groups = [
      {
        label: 'a < b & "c"',
        bars: [
          { series: '</svg><script>', value: 1, text: '&lt;' },
          { series: 's', value: 2, text: '' },
        ],
      },
    ]
    const names = elementsOf(barChart(chart({ title: 'x > y', groups })))
    expect(names[0]).to.equal('svg')
    expect(names).not.to.include('script')
    expect(names.filter((n) => n === 'rect').length).to.equal(1 + 2 + 2)
  })

  it('bench: on a linear axis lengths are in proportion', () => {
    const [ours, theirs, key] = widths(barChart(chart())) as [number, number, number]
    expect(theirs / ours).to.be.closeTo(20, 0.1)
    expect(theirs / key).to.be.closeTo(4, 0.01)
  })

  it('bench: on a logarithmic axis ten times as much is one step more, and every bar can be seen', () => {
    const groups = [{ label: 'x', bars: [0.1, 1, 10, 100].map((value) => ({ series: String(value), value, text: '' })) }]
    const [lowest, ...others] = widths(barChart(chart({ scale: 'log', groups }))) as [number, number, number, number]
    expect(lowest).to.equal(2)
    expect((others[1] as number) / (others[0] as number)).to.be.closeTo(2, 0.01)
    expect((others[2] as number) / (others[0] as number)).to.be.closeTo(3, 0.01)
  })

  it('bench: the axis goes past the highest value in round steps', () => {
    expect(scaleOf('linear', [37]).ticks).to.deep.equal([0, 10, 20, 30, 40])
    expect(scaleOf('linear', [0]).ticks).to.deep.equal([0])
    expect(scaleOf('log', [3, 2000]).ticks).to.deep.equal([1, 10, 100, 1000, 10_000])
  })

  it('bench: what cannot be drawn is refused', () => {
    for (const values of [[], [Number.NaN], [-1], [Number.POSITIVE_INFINITY]]) expect(() => scaleOf('linear', values)).to.throw(RangeError)
    expect(() => scaleOf('log', [0, 1])).to.throw(RangeError)
  })

  it('bench: the same figures give the same bytes', () => {
    expect(barChart(chart())).to.equal(barChart(chart()))
  })
})
