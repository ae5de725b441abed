import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { html, raw } from 'hono/html'
import { quantile } from '../../functions/shared/quantile.ts'
import { drawChart, margin, type Chart, type Series } from './chart.ts'
import { chartsOf, plural, type PartChart } from './charts.ts'
import { isGood } from './load.ts'
import { formatMs, slowestDuring, times } from './numbers.ts'
import { coursesOf, type Recording } from './recording.ts'
import type { ScalingClass } from './source.ts'

const headings: Record<ScalingClass, [title: string, text: string]> = {
  kpa: [
    'Scaled on concurrency, down to zero',
    'Each function has as many pods as its concurrent requests need, and none without requests (Knative’s autoscaler, KPA).',
  ],
  hpa: [
    'Scaled on CPU',
    'Functions that are limited by the CPU, and parts that carry all traffic. In a cluster they never have less than one pod (HPA).',
  ],
  always: ['Always there', 'Parts that do not scale.'],
}

/** Returns a self-contained page. It needs no network, and it can be read without scripts. */
export async function toPage(recording: Recording): Promise<string> {
  const { title, about, label, note, rate, seconds, began, remarks } = recording
  const { overview, parts } = chartsOf(recording)
  const charts: Chart[] = []
  const page = html`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width" />
      <meta name="color-scheme" content="light dark" />
      <title>${title} – Zeroshop, from zero and back</title>
      <style>
        ${source('page.css')}
      </style>
      <header>
        <h1>${title}: from zero, and back to zero</h1>
        <p>
          ${about.charAt(0).toUpperCase() + about.slice(1)}. ${seconds} s of load in an open loop, ${rate}
          requests a second at the usual rate. Seen on ${label},
          <time>${new Date(began).toISOString().slice(0, 16).replace('T', ' ')} UTC</time>. ${note ?? ''}
        </p>
        ${remarks.map((remark) => html`<p class="remark">${remark}</p>`)}
      </header>
      <dl class="tiles">
        ${tilesOf(recording).map(
          ([name, value, detail]) =>
            html`<div>
              <dt>${name}</dt>
              <dd>${value}</dd>
              <dd class="detail">${detail}</dd>
            </div>`,
        )}
      </dl>
      <section>
        <h2>The load and its answers</h2>
        <div class="large">${overview.map((chart) => figure(chart, legend(chart.series)))}</div>
      </section>
      ${(['kpa', 'hpa', 'always'] as const).map((kind) => group(kind, parts[kind]))}
      <section>
        <h2>Cold starts</h2>
        ${coldStarts(recording)}
      </section>
      <script type="application/json" id="charts">
        ${forScript({ margin, charts: charts.map(({ width, from, to, scale, series }) => ({ width, from, to, series, unit: scale === 'log' ? ' ms' : '' })) })}
      </script>
      <script>
        ${source('page.js')}
      </script>
    </html> `
  return (await page).toString()

  function group(kind: ScalingClass, members: PartChart[]) {
    if (members.length === 0) return ''
    return html`<section>
      <h2>${headings[kind][0]}</h2>
      <p>${headings[kind][1]}</p>
      ${legend(members[0]!.chart.series)}
      <div class="small">
        ${members.map(({ chart, facts }) => figure(chart, html`<p class="facts">${facts.join(' · ')}</p>`))}
      </div>
    </section>`
  }

  function figure(chart: Chart, below: unknown) {
    const number = charts.push(chart) - 1
    return html`<figure>
      <figcaption><b>${chart.title}</b> <span class="readout"></span></figcaption>
      <svg
        viewBox="0 0 ${chart.width} ${chart.height}"
        role="img"
        aria-label="${chart.title}"
        data-chart="${number}"
      >
        ${raw(drawChart(chart))}
      </svg>
      ${below}
    </figure>`
  }
}

const source = (name: string) => raw(readFileSync(join(import.meta.dirname, name), 'utf8'))

/** JSON that cannot end the script element around it. */
const forScript = (value: unknown) => raw(JSON.stringify(value).replaceAll('<', String.raw`\u003c`))

const legend = (series: readonly Series[]) =>
  html`<p class="legend">${series.map(({ look, label }) => html`<span class="${look}">${label}</span> `)}</p>`

function tilesOf({ load, samples, coldStarts, outcome }: Recording): [string, string, string][] {
  const courses = coursesOf(samples).filter(({ class: kind }) => kind !== 'always')
  const failed = load.sent.filter((sent) => !isGood(sent)).length
  const pods = samples.map((_, n) => courses.reduce((sum, { ready }) => sum + ready[n]!, 0))
  const cold = coldStarts.filter(({ fromZero }) => fromZero).map(({ ms }) => ms)
  const all = times(load.sent)
  return [
    ['Requests', load.sent.length.toLocaleString('en'), `${failed} failed, ${load.unsent.length} not sent`],
    [
      'Latency, p50',
      formatMs(quantile(all, 0.5)),
      `p99 ${formatMs(quantile(all, 0.99))}, at most ${formatMs(quantile(all, 1))}`,
    ],
    [
      'Pods at most',
      String(Math.max(0, ...pods)),
      `of ${plural(courses.length, 'function')}; ${pods[0] ?? 0} before, ${pods.at(-1) ?? 0} after`,
    ],
    [
      'Cold start, p50',
      formatMs(quantile(cold, 0.5)),
      `${cold.length} from zero, at most ${formatMs(quantile(cold, 1))}`,
    ],
    ...(outcome === undefined
      ? []
      : ([
          [
            'Orders',
            (outcome.confirmed + outcome.cancelled + outcome.underWay).toLocaleString('en'),
            `${outcome.confirmed} confirmed, ${outcome.cancelled} cancelled, ${outcome.underWay} under way`,
          ],
        ] as [string, string, string][])),
  ]
}

function coldStarts({ coldStarts, load, began }: Recording) {
  if (coldStarts.length === 0) return html`<p>No pod was started during the run.</p>`
  const ms = (values: number[], q: number) => formatMs(quantile(values, q))
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th>Function</th>
          <th>pods started</th>
          <th>of them from zero</th>
          <th>ready after, p50</th>
          <th>at most</th>
          <th>slowest request that met none</th>
        </tr>
      </thead>
      <tbody>
        ${[...Map.groupBy(coldStarts, ({ name }) => name)].map(([name, starts]) => {
          const took = starts.map((start) => start.ms)
          const met = starts
            .filter(({ fromZero }) => fromZero)
            .flatMap((start) => slowestDuring(start, load.sent, began) ?? [])
          return html`<tr>
            <th>${name}</th>
            <td>${starts.length}</td>
            <td>${starts.filter(({ fromZero }) => fromZero).length}</td>
            <td>${ms(took, 0.5)}</td>
            <td>${ms(took, 1)}</td>
            <td>${ms(met, 1)}</td>
          </tr>`
        })}
      </tbody>
    </table>
  </div>`
}
