// Shows the values of all charts at the pointer's time. Runs in the page.
const { margin, charts } = JSON.parse(document.getElementById('charts').textContent)
const drawn = [...document.querySelectorAll('svg[data-chart]')].map((svg) => ({
  svg,
  chart: charts[svg.dataset.chart],
  cursor: svg.querySelector('.cursor'),
  readout: svg.parentElement.querySelector('.readout'),
}))

/** The value at a time: the last one that is not later. */
const valueAt = ({ at, values }, time) => values[at.findLastIndex((one) => one <= time)]

const clock = (time) =>
  `${time < 0 ? '-' : ''}${Math.floor(Math.abs(time) / 60)}:${String(Math.floor(Math.abs(time) % 60)).padStart(2, '0')}`

const show = (time) => {
  for (const { chart, cursor, readout } of drawn) {
    const share = (time - chart.from) / (chart.to - chart.from)
    const x = margin.left + share * (chart.width - margin.left - margin.right)
    cursor.setAttribute('x1', x)
    cursor.setAttribute('x2', x)
    const values = chart.series.map((series) => [series, valueAt(series, time)])
    readout.textContent = [
      clock(time),
      ...values
        .filter(([{ draw }, value]) => draw !== 'shape' && value != null)
        .map(([{ label }, value]) => `${label.replace(' pods', '')} ${Math.round(value)}${chart.unit}`),
    ].join(' · ')
  }
}

for (const { svg, chart } of drawn)
  svg.addEventListener('pointermove', ({ clientX }) => {
    const { left, width } = svg.getBoundingClientRect()
    const x = ((clientX - left) / width) * chart.width
    const share = (x - margin.left) / (chart.width - margin.left - margin.right)
    document.body.classList.add('reading')
    show(chart.from + Math.min(1, Math.max(0, share)) * (chart.to - chart.from))
  })
document.addEventListener('pointerleave', () => document.body.classList.remove('reading'))
