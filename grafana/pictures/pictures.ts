/** `npm run pictures`: draws the dashboards into docs/pictures. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pc from 'picocolors'
import { run } from '../../functions/shared/process/run.ts'
import { UserError } from '../../functions/shared/process/user-error.ts'
import { readArguments } from '../../local/commands/arguments.ts'
import { createStartup } from '../../local/startup.ts'
import { findChromium, openChromium } from '../../test/chromium.ts'
import { dashboards } from '../dashboards.ts'
import { logsFrom, metricsFrom } from './ask.ts'
import { bundle } from './bundle.ts'
import { draw, width } from './draw.ts'
import { gather, type Dashboard } from './gather.ts'
import type { Drawn } from './page/drawing.ts'

const names = Object.keys(dashboards())

const usage = `npm run pictures [-- dashboard…]
Draws the dashboards (${names.join(', ')}) into docs/pictures, from their JSON, with Grafana’s components in a
Chromium. It ends with 1 if a panel could not be drawn.
  --prometheus URL   where to read metrics (http://127.0.0.1:9090)
  --logs URL         a VictoriaLogs, for the log of a function (http://127.0.0.1:9428)
  --minutes N        how much time the pictures show (60)
  --until TIME       and when it ends, such as 2026-11-27T11:00:00Z (now)
  --function NAME    whose picture "one-function" is (create-order)`

const options = {
  prometheus: { type: 'string', default: 'http://127.0.0.1:9090' },
  logs: { type: 'string', default: 'http://127.0.0.1:9428' },
  minutes: { type: 'string', default: '60' },
  until: { type: 'string', default: new Date().toISOString() },
  function: { type: 'string', default: 'create-order' },
} as const

const root = join(import.meta.dirname, '../..')

async function main(): Promise<number> {
  const { values, positionals } = readArguments(usage, { options, allowPositionals: true })
  const unknown = positionals.find((name) => !names.includes(name))
  if (unknown !== undefined)
    throw new UserError(`There is no dashboard ${unknown}: there are ${names.join(', ')}.`)
  const end = Math.floor(Date.parse(values.until) / 1000)
  const minutes = Number(values.minutes)
  if (!Number.isInteger(end)) throw new UserError(`--until ${values.until} is not a time in ISO 8601.`)
  if (!(minutes > 0)) throw new UserError(`--minutes ${values.minutes} is not a number above 0.`)
  const chromium = findChromium()
  if (chromium === undefined) throw new UserError('Without a Chromium, nothing can be drawn.')

  const asked = {
    metrics: metricsFrom(values.prometheus),
    logs: logsFrom(values.logs),
    start: end - minutes * 60,
    end,
    chosen: { function: values.function },
    width,
  }
  // before anything is installed
  await asked.metrics.at('vector(1)', end)
  const startup = createStartup()
  try {
    const page = await bundle(startup)
    const browser = await openChromium(chromium)
    startup.onStop(() => browser.close())
    let failures = 0
    for (const name of positionals.length > 0 ? positionals : names) {
      const json = readFileSync(join(root, `grafana/dashboards/${name}.json`), 'utf8')
      const drawing = await gather(JSON.parse(json) as Dashboard, asked)
      const { image, drawn } = await draw(browser, page, drawing)
      const file = join(root, `docs/pictures/${name}.png`)
      mkdirSync(join(file, '..'), { recursive: true })
      writeFileSync(file, page.shrink(image))
      report(name, file, drawn)
      failures += Object.keys(drawn.problems).length
    }
    return failures === 0 ? 0 : 1
  } finally {
    await startup.stop()
  }
}

function report(name: string, file: string, { problems, empty }: Drawn) {
  console.log(`${name.padEnd(14)}${Math.ceil(statSync(file).size / 1000)} kB`)
  for (const [title, problem] of Object.entries(problems)) console.log(pc.red(`  ${title} ${problem}`))
  for (const title of empty) console.log(pc.yellow(`  ${title} No data.`))
}

await run(main)
