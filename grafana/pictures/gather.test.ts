import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sources } from '../sources.ts'
import { logsFrom, metricsFrom } from './ask.ts'
import type { Variables } from './fill.ts'
import { gather } from './gather.ts'
import type { Variable } from './variables.ts'
import type { Panel } from './page/drawing.ts'

const hour = { start: 3600, end: 7200 }

/** Answers as Prometheus does: each query with itself, and those with "wrong" in them with a complaint. */
const prometheus = createServer((request, response) => {
  let sent = ''
  request.on('data', (chunk) => (sent += String(chunk)))
  request.on('end', () => {
    const { query = '', ...asked } = Object.fromEntries(new URLSearchParams(sent))
    const metric = { query, ...asked, function: 'get-order' }
    const body = query.includes('wrong')
      ? { status: 'error', error: 'parse error' }
      : { status: 'success', data: { result: [{ metric, value: [7200, '1'] }] } }
    response.end(JSON.stringify(body))
  })
})
let url = ''
beforeAll(async () => {
  await new Promise<void>((resolve) => prometheus.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(prometheus.address() as AddressInfo).port}`
})
afterAll(() => void prometheus.close())

const panel = (expr: string, more: object = {}): Panel => ({
  id: 1,
  type: 'timeseries',
  title: 'How many?',
  gridPos: { x: 0, y: 0, w: 12, h: 8 },
  targets: [{ refId: 'A', expr, legendFormat: '{{function}}', ...more }],
  datasource: sources.prometheus,
})

const read = (panels: Panel[], list: readonly Variable[] = [], chosen: Variables = {}) =>
  gather(
    { title: 'A', description: 'B', panels, templating: { list } },
    { metrics: metricsFrom(url), logs: logsFrom(url), ...hour, chosen, width: 1400 },
  )

describe('a dashboard', () => {
  it('has the answer to each query, over the time that the picture shows', async () => {
    const { panels, from, to } = await read([panel('rate(a[$__rate_interval])')])
    expect({ from, to }).toEqual({ from: 3_600_000, to: 7_200_000 })
    expect(panels[0]!.answers).toEqual([
      {
        refId: 'A',
        isTable: false,
        step: 15_000,
        series: [
          {
            name: 'get-order',
            labels: expect.objectContaining({
              query: 'rate(a[60s])',
              start: '3600',
              end: '7200',
              step: '15',
            }) as object,
            points: [[7_200_000, 1]],
          },
        ],
      },
    ])
  })

  it('has the present value where that is asked for', async () => {
    const { panels } = await read([panel('a', { instant: true, format: 'table' })])
    const [answer] = panels[0]!.answers
    expect(answer).toMatchObject({ isTable: true, series: [{ labels: { time: '7200' } }] })
  })

  it('says which panel’s query is wrong', async () => {
    const { panels } = await read([panel('wrong('), panel('a')])
    expect(panels.map(({ problem }) => problem)).toEqual(['parse error', undefined])
  })

  const list = [
    {
      name: 'function',
      label: 'Function',
      query: { query: 'query_result(a)' },
      regex: '/function="([^"]+)"/',
    },
  ]

  it('is of the function that was chosen, or else of the first', async () => {
    const { variables, panels } = await read([panel('a{f="$function"}')], list)
    expect(variables).toEqual({ Function: 'get-order' })
    expect(panels[0]!.answers[0]!.series[0]!.labels['query']).toBe('a{f="get-order"}')
    await expect(read([], list, { function: 'get-odrer' })).rejects.toThrow(
      'There is no function get-odrer. There are get-order.',
    )
  })
})
