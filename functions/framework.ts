/**
 * Every function as an `http` function of the Functions Framework, for those who deploy with it:
 * `functions-framework --source=functions/framework.ts --target=reserve-stock`. The environment contains the
 * function's settings, as for main.ts.
 */
import { parseArgs } from 'node:util'
import { http } from '@google-cloud/functions-framework'
import { getRequestListener } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import { Hono } from 'hono'
import type { Logger } from 'pino'
import { openReceiver } from '../events/receive.ts'
import { createVerifier, readKeys } from '../events/signature.ts'
import { readConfig, type Config } from './shared/process/config.ts'
import { isOperation, loadReaction, type Entry, type Opened } from './shared/process/entry.ts'
import { openLog } from './shared/process/log.ts'
import { run } from './shared/process/run.ts'
import { addHealth, appOf, listenerOptions } from './shared/process/serve-operation.ts'
import { entryOf } from './source.ts'
import { functions, type FunctionName } from './table.ts'

/** Opens a function's stores. Returns its listener. */
async function open(name: FunctionName) {
  const entry = entryOf(name)
  const config = readConfig(process.env, entry.row.settings)
  const log = openLog(config, name)
  const { open } = await entry.open()
  const opened = await open(config, log, name)
  const app = isOperation(entry.row)
    ? await appOf([entry], opened, config, log)
    : await reactionApp(entry, opened, config, log)
  await opened.checked
  return getRequestListener(app.fetch, listenerOptions)
}

/** Returns the app of a reaction, with health checks. */
async function reactionApp(entry: Entry, opened: Opened, config: Config, log: Logger): Promise<Hono> {
  const verify = createVerifier(readKeys(config, 'DELIVERY_KEYS'))
  const receive = openReceiver(await loadReaction(entry), { deps: opened.deps, verify, log })
  const app = new Hono()
  addHealth(app, opened)
  app.post('*', async (c) => {
    // the framework has read the body; these are the bytes that it received, which are signed
    const body = Buffer.from(await c.req.arrayBuffer())
    const from = getConnInfo(c).remote.address
    const answer = await receive({ headers: c.req.header(), body, from })
    return new Response(answer.body ?? null, answer)
  })
  return app
}

const opened: { [N in FunctionName]?: ReturnType<typeof open> } = {}
/** Returns the listener of a function, which is opened once. */
const listenerOf = (name: FunctionName) => (opened[name] ??= open(name))

const names = Object.keys(functions) as FunctionName[]
for (const name of names) http(name, async (request, response) => (await listenerOf(name))(request, response))

const options = { target: { type: 'string', default: process.env['FUNCTION_TARGET'] ?? '' } } as const
const { target } = parseArgs({ options, strict: false }).values
const named = names.find((name) => name === target)
if (named !== undefined) {
  // the framework listens after this, so a process that cannot work never starts to serve
  await run(async () => void (await listenerOf(named)), 'zeroshop: ')
  if (process.exitCode === 1) process.exit()
}
