/** `npm run demo:scale`: shows how functions scale up from zero under load, and back to zero. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import pc from 'picocolors'
import { run } from '../../functions/shared/process/run.ts'
import { UserError } from '../../functions/shared/process/user-error.ts'
import { unreachable } from '../unreachable.ts'
import { openCluster } from './cluster-source.ts'
import { openLocal } from './local-source.ts'
import { defaultNamespace, readOptions, usage, type Options } from './options.ts'
import { toPage } from './page.ts'
import { run as runScenario } from './run.ts'
import type { ScaleSource } from './source.ts'
import { createDisplay } from './terminal.ts'
import { openVisitors } from './visitors.ts'

async function main() {
  const options = readOptions(process.argv.slice(2), process.env)
  if (options === 'help') console.log(usage)
  else await demo(options)
}

async function demo(options: Options) {
  // fail early if the page cannot be written
  const file = resolve(options.html)
  mkdirSync(dirname(file), { recursive: true })
  const source = await openSource(options)
  console.log(pc.dim(`Watching ${source.label}; customers register …`))
  const closing = [source.close]
  const stopping = new AbortController()
  try {
    const visitors = await openVisitors(options.url, options.password)
    closing.push(visitors.close)
    if (!visitors.stocked)
      console.log(
        pc.yellow(
          'No stock was received, because SHOP_PASSWORD is wrong. Orders are rejected once the stock is sold out.',
        ),
      )
    process.once('SIGINT', () => stopping.abort())
    process.once('SIGTERM', () => stopping.abort())
    const display = createDisplay(process.stdout)
    const recording = await runScenario(options, {
      source,
      visitors,
      draw: display.draw,
      signal: stopping.signal,
    })
    const elapsed = (Date.now() - recording.began) / 1000
    display.end(recording, { phase: 'over', elapsed })
    // last, because it starts functions
    if (visitors.accepted() > 0 && !stopping.signal.aborted)
      recording.outcome = await visitors.outcome().catch((error: unknown) => {
        recording.remarks.push(`The orders could not be read: ${String(error)}`)
        return undefined
      })
    writeFileSync(file, await toPage(recording))
    conclude(recording, file)
  } finally {
    for (const close of closing) await close()
  }
}

function conclude({ outcome, remarks }: Awaited<ReturnType<typeof runScenario>>, file: string) {
  if (outcome !== undefined) {
    const { confirmed, cancelled, underWay } = outcome
    const accepted = confirmed + cancelled + underWay
    console.log(
      `\n${accepted} orders were accepted: ${confirmed} are confirmed, ${cancelled} cancelled, ${underWay} under way.`,
    )
  }
  for (const remark of remarks) console.log(pc.yellow(remark))
  console.log(`The charts: ${pc.bold(pathToFileURL(file).href)}`)
}

/** Opens the local runner if the shop has its `/_scale`, otherwise a cluster. */
async function openSource({ url, namespace }: Options): Promise<ScaleSource> {
  if (namespace !== undefined) return openCluster(namespace)
  const local = await openLocal(url).catch((error: unknown) => {
    throw error instanceof UserError ? error : new UserError(unreachable(url, error))
  })
  return local ?? openCluster(defaultNamespace)
}

await run(main)
