/** Draws charts as SVG, without a script. Their colours are in page.css. */

export interface Series {
  label: string
  /** Its class in page.css. */
  look: 'load' | 'due' | 'ready' | 'desired' | 'good' | 'failed' | 'p50' | 'p90' | 'p99' | 'flying'
  /** The times of the values, in seconds, ascending. */
  at: readonly number[]
  values: readonly (number | undefined)[]
  /** `steps`: a value holds until the next one; `shape`: a filled area on its own scale. */
  draw: 'line' | 'steps' | 'shape'
}

export interface Chart {
  title: string
  width: number
  height: number
  /** The range of time that is shown, in seconds. */
  from: number
  to: number
  /** When the load ended. */
  end: number
  /** The highest value of the scale. */
  top: number
  scale: 'linear' | 'log'
  format: (value: number) => string
  series: readonly Series[]
}

export const margin = { top: 8, right: 8, bottom: 20, left: 48 }
/** Keeps the highest line off the edge. */
const headroom = 4

/** Returns the contents of an `<svg>`: only numbers and this project's own texts, so nothing is escaped. */
export function drawChart(chart: Chart): string {
  const { width, height, from, to, end, top } = chart
  const [right, bottom] = [width - margin.right, height - margin.bottom]
  const x = (at: number) => round(margin.left + ((at - from) / (to - from)) * (right - margin.left))
  const y = yOf(chart)
  const ticks = chart.scale === 'log' ? logTicks(top) : linearTicks(top)
  return [
    `<rect class="during" x="${x(0)}" y="${margin.top}" width="${round(x(end) - x(0))}" height="${bottom - margin.top}"/>`,
    ...chart.series.map((series) => drawSeries(series, x, y, bottom)),
    ...ticks.map(
      (tick) =>
        `<line class="grid" x1="${margin.left}" x2="${right}" y1="${y(tick)}" y2="${y(tick)}"/>` +
        `<text class="tick" x="${margin.left - 6}" y="${y(tick) + 4}" text-anchor="end">${chart.format(tick)}</text>`,
    ),
    ...timeTicks(from, to).map(
      (tick) =>
        `<text class="tick" x="${x(tick)}" y="${height - 5}" text-anchor="middle">${Math.floor(tick / 60)}:${String(tick % 60).padStart(2, '0')}</text>`,
    ),
    `<line class="cursor" y1="${margin.top}" y2="${bottom}"/>`,
  ].join('')
}

function drawSeries(
  { look, at, values, draw }: Series,
  x: (at: number) => number,
  y: (value: number) => number,
  bottom: number,
): string {
  if (draw === 'shape') {
    const most = Math.max(1e-9, ...values.map((value) => value ?? 0))
    const points = at.map(
      (t, n) => `${x(t)} ${round(bottom - ((values[n] ?? 0) / most) * (bottom - margin.top - headroom))}`,
    )
    return points.length === 0
      ? ''
      : `<path class="${look} area" d="M${x(at[0]!)} ${bottom}L${points.join('L')}V${bottom}Z"/>`
  }
  let path = ''
  let pen = false
  for (const [n, value] of values.entries()) {
    if (value === undefined) pen = false
    else {
      const [px, py] = [x(at[n]!), y(value)]
      if (!pen) path += `M${px} ${py}`
      else path += draw === 'steps' ? `H${px}V${py}` : `L${px} ${py}`
      pen = true
    }
  }
  const area =
    look === 'ready' && at.length > 0 ? `<path class="ready area" d="${path}V${bottom}H${x(at[0]!)}Z"/>` : ''
  return `${area}<path class="${look}" d="${path}"/>`
}

function yOf({ height, top, scale }: Chart) {
  const [low, high] = [height - margin.bottom, margin.top + headroom]
  const share =
    scale === 'linear'
      ? (value: number) => value / top
      : (value: number) => Math.log10(Math.max(1, value)) / Math.log10(top)
  return Object.assign((value: number) => round(low - Math.min(1, share(value)) * (low - high)), {
    top: high,
  })
}

/** About three ticks at whole numbers. */
export function linearTicks(top: number): number[] {
  const step = niceStep(top / 3)
  return Array.from({ length: Math.floor(top / step) + 1 }, (_, n) => n * step)
}

function niceStep(least: number): number {
  const power = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, least))))
  return [1, 2, 5, 10].map((n) => n * power).find((step) => step >= least) ?? power
}

const logTicks = (top: number) =>
  Array.from({ length: Math.floor(Math.log10(top)) + 1 }, (_, power) => 10 ** power)

/** Ticks at round times, no more than fit. */
export function timeTicks(from: number, to: number): number[] {
  const step = [5, 10, 15, 30, 60, 120, 300, 600, 1800].find((step) => (to - from) / step <= 6) ?? 3600
  const first = Math.ceil(Math.max(0, from) / step)
  return Array.from({ length: Math.floor(to / step) - first + 1 }, (_, n) => (first + n) * step)
}

const round = (value: number) => Math.round(value * 10) / 10
