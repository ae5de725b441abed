import { describe, expect, it } from 'vitest'
import { linearTicks, timeTicks } from './chart.ts'
import { part, recording } from './example.ts'
import { toPage } from './page.ts'

/** Returns the data that the page's script reads. */
function dataOf(page: string) {
  const [, json] = /<script type="application\/json" id="charts">([^<]*)</.exec(page) ?? []
  return JSON.parse(json!) as { charts: { series: { label: string; values: number[] }[] }[] }
}

describe('the page', () => {
  it('has a chart for every part that ran, each class under its own heading', async () => {
    const page = await toPage(recording())
    const order = ['Scaled on concurrency', '<b>get-product</b>', 'Scaled on CPU', '<b>gateway</b>']
    const places = [...order, 'Always there', '<b>relay</b>'].map((text) => page.indexOf(text))
    expect(places).not.toContain(-1)
    expect(places).toEqual(places.toSorted((a, b) => a - b))
    expect(page).not.toContain('refund-payment')
  })

  it('has the data of its charts', async () => {
    const ready = dataOf(await toPage(recording()))
      .charts.flatMap(({ series }) => series)
      .filter(({ label }) => label === 'ready pods')
      .map(({ values }) => values)
    expect(ready).toContainEqual([0, 1, 2, 2, 0])
  })

  it('shows the totals', async () => {
    const text = (await toPage(recording())).replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ')
    expect(text).toContain('Requests 3 1 failed, 1 not sent')
    expect(text).toContain('Orders 8 7 confirmed, 1 cancelled, 0 under way')
    expect(text).toContain('1 from zero, at most 400 ms')
    expect(text).toMatch(/get-product 1 1 400 ms 400 ms 420 ms/)
  })

  it('escapes names', async () => {
    const evil = '</script><img src=x onerror=alert(1)>'
    const page = await toPage(
      recording({
        title: evil,
        remarks: [evil],
        label: evil,
        samples: [{ at: recording().began, parts: [part(evil, { ready: 1, desired: 1 })] }],
        coldStarts: [{ name: evil, at: recording().began, ms: 1, fromZero: true }],
      }),
    )
    expect(page).not.toContain('<img')
    expect(page).toContain('&lt;img')
    expect(page.match(/<\/script>/g)).toHaveLength(2)
  })

  it('loads nothing from the network', async () => {
    expect(await toPage(recording())).not.toMatch(/(?:src|href)=|@import|url\(/)
  })

  it('is drawn for a run that recorded nothing', async () => {
    const nothing = { sent: [], unsent: [], inFlight: new Map<string, number>() }
    const page = await toPage(
      recording({ load: nothing, samples: [], coldStarts: [], outcome: undefined, note: undefined }),
    )
    expect(page).toContain('No pod was started during the run.')
    expect(page).not.toMatch(/NaN|Infinity|undefined/)
  })
})

it('labels axes with whole numbers', () => {
  expect(linearTicks(2.1)).toEqual([0, 1, 2])
  expect(linearTicks(105)).toEqual([0, 50, 100])
  expect(timeTicks(-2, 62)).toEqual([0, 15, 30, 45, 60])
})
