import type { IncomingMessage, ServerResponse } from 'node:http'
import * as z from 'zod'
import { dropDeadLetters, replayDeadLetters, type Which } from '../../events/dead-letters.ts'
import { Problem } from '../../functions/shared/http/problems.ts'
import { readUpTo } from '../../functions/shared/http/read-up-to.ts'
import { isUnavailable } from '../../functions/shared/store/store-errors.ts'
import { sendProblem } from '../activator/problem.ts'
import type { Handler } from '../front.ts'
import { jsonPage, sendPage } from '../pages.ts'
import { files } from './assets.ts'
import { createFeed, type FeedOptions } from './feed.ts'
import { whyRefused, type Access } from './guard.ts'
import { createLoad, isScenario } from './load.ts'
import { consoleProblems } from './problems.ts'
import { readTrace } from './read-trace.ts'
import { tableFor } from './table.ts'
import type { Traces } from './traces.ts'
import type { Trace } from './wire.ts'

export interface ConsoleOptions extends Omit<FeedOptions, 'load'> {
  /** The shop. */
  url: string
  /** The file for the charts of a load. */
  charts: string
  log: (line: string) => void
  /** The spans of the processes; undefined if they do not come here. */
  traces: Traces | undefined
  /** The autoscaler's stable window; undefined if all functions run in one process. */
  windowSeconds: number | undefined
}

export interface Console {
  handle: Handler
  close: () => Promise<void>
}

/** What the page may load, and who may show it. */
const headers = {
  'Content-Security-Policy': [
    "default-src 'none'",
    ...['script', 'style', 'img', 'connect'].map((kind) => `${kind}-src 'self'`),
    ...['base-uri', 'form-action', 'frame-ancestors'].map((name) => `${name} 'none'`),
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
}

/** The largest body of a request, in bytes. */
const mostBytes = 1024

/** Which dead letters: one, or all. */
const Letters = z.union(
  [
    z.strictObject({ eventId: z.uuid(), reaction: z.string().max(100) }),
    z.strictObject({ all: z.literal(true) }),
  ],
  'Send the eventId and the reaction of a dead letter, or {"all": true}.',
)
const StartLoad = z.strictObject({
  scenario: z.string().refine(isScenario, 'There is no such scenario.'),
})

/** Opens the console: the page at `/_console`, its event stream, and what its buttons do. */
export function openConsole({
  url,
  charts,
  windowSeconds,
  log,
  traces,
  ...options
}: ConsoleOptions): Console {
  const load = createLoad({ url, html: charts })
  const feed = createFeed({ ...options, load: load.state })
  const table = jsonPage(tableFor(windowSeconds, traces !== undefined))

  const actions: Record<string, (body: unknown) => Promise<object>> = {
    '/replay': async (body) => {
      const which = read(Letters, body)
      return { count: await feed.withDatabase((client) => replayDeadLetters({ client }, selecting(which))) }
    },
    '/drop': async (body) => {
      const which = read(Letters, body)
      return { count: await feed.withDatabase((client) => dropDeadLetters({ client }, selecting(which))) }
    },
    '/load': async (body) => ({ isStarted: load.start(read(StartLoad, body).scenario) }),
    '/load/stop': async () => {
      await load.stop()
      return {}
    },
  }

  return {
    handle(request, response) {
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
      const path = pathOf(request)
      const { access, methods } = kindOf(path) ?? {}
      if (access === undefined || methods === undefined) return sendProblem(response, 'not-found')
      if (!methods.includes(request.method ?? ''))
        return sendProblem(response, 'method-not-allowed', { Allow: methods.join(', ') })
      const refused = whyRefused(request, access)
      if (refused === 'other machine') return sendProblem(response, 'misdirected-request')
      if (refused === 'other page') return send(response, new Problem(consoleProblems['other-page']))
      void answer(path, request, response).catch((error: unknown) => send(response, toProblem(error, log)))
    },
    async close() {
      await Promise.all([feed.close(), load.stop(500)])
    },
  }

  function kindOf(path: string): { access: Access; methods: string[] } | undefined {
    if (Object.hasOwn(files, path)) return { access: 'open', methods: ['GET', 'HEAD'] }
    if (path === '/table.json' || traceIn(path) !== undefined)
      return { access: 'read', methods: ['GET', 'HEAD'] }
    if (path === '/events') return { access: 'read', methods: ['GET'] }
    return Object.hasOwn(actions, path) ? { access: 'change', methods: ['POST'] } : undefined
  }

  function traceOf(id: string): Trace {
    const logs = options.journal.logsOf(id)
    return { spans: readTrace(traces?.with(id) ?? [], id), logs }
  }

  async function answer(path: string, request: IncomingMessage, response: ServerResponse) {
    if (path === '/table.json') return sendPage(request, response, table)
    if (path === '/events')
      return feed.isFull() ? sendProblem(response, 'overloaded', { 'Retry-After': '5' }) : feed.add(response)
    const traceId = traceIn(path)
    if (traceId !== undefined) return sendPage(request, response, jsonPage(traceOf(traceId)))
    const file = files[path]
    if (file !== undefined) return sendPage(request, response, await file())
    const body = await readUpTo(mostBytes, request)
    if (body === undefined) throw new Problem('body-too-large')
    const done = await actions[path]!(parse(body))
    response.setHeader('Cache-Control', 'no-store')
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(done))
    await feed.refresh()
  }
}

/** Returns the id in the path of a trace. */
const traceIn = (path: string) => /^\/traces\/([\da-f]{32})$/.exec(path)?.[1]

/** Returns the path below the console's. */
const pathOf = ({ url = '' }: IncomingMessage) =>
  url
    .split('?')[0]!
    .replace(/^\/_console/, '')
    .replace(/^\/$/, '')

function read<T>(schema: z.ZodType<T>, body: unknown): T {
  const found = schema.safeParse(body)
  if (found.success) return found.data
  throw new Problem('invalid-request', { detail: found.error.issues.map(({ message }) => message).join(' ') })
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    throw new Problem('not-json', { detail: 'Send JSON.' })
  }
}

const selecting = (which: z.infer<typeof Letters>): Which => ('all' in which ? {} : which)

function toProblem(error: unknown, log: (line: string) => void): Problem {
  if (error instanceof Problem) return error
  if (isUnavailable(error))
    return new Problem('store-unavailable', {
      detail: 'The database does not answer. Try again in a moment.',
    })
  log(`request failed: ${error instanceof Error ? error.stack : String(error)}`)
  return new Problem('internal-error', { detail: 'The log says why.' })
}

function send(response: ServerResponse, problem: Problem) {
  if (response.headersSent) return
  response.writeHead(problem.status, problem.headers).end(JSON.stringify(problem.toDocument()))
}
