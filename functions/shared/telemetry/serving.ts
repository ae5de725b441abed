import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import { traceparentOf } from '../http/trace-context.ts'
import { handling } from './context.ts'
import type { AttributesOf } from './metrics.ts'
import { cardinalityLimit } from './series.ts'
import type { Handled, Serves, Span, Telemetry } from './telemetry.ts'
import { TracedResponse } from './traced-response.ts'
import { now } from './tracer.ts'

type Context = Pick<Telemetry, 'add' | 'record' | 'startSpan'>

/** How long after its start a process's first request counts as one that waited for it, in ms. */
const waitedMs = 5_000

/** Methods that have names; others are of no interest, and any text may be one. */
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/**
 * Returns what observes the requests to this process.
 * @param requestLog logs a line for each request, if it is given
 */
export function createServing(
  { add, record, startSpan }: Context,
  name: string,
  requestLog: Logger | undefined,
): Pick<Telemetry, 'serverOptions' | 'observed' | 'listening'> {
  let listeningAt: number | undefined
  let isCold = true

  /** Records the start of the process as a span of what waited for it: its first request. */
  function coldStart(parent: string | undefined) {
    isCold = false
    add('faas.coldstarts', 1, { 'faas.trigger': 'http' })
    if (listeningAt === undefined || parent === undefined || now() - listeningAt > waitedMs) return
    const { timeOrigin: beganAt } = performance
    startSpan({
      name: `cold start ${name}`,
      kind: 'internal',
      parent,
      beganAt,
      attributes: { 'faas.init_duration': (listeningAt - beganAt) / 1000 },
    }).end(undefined, listeningAt)
  }

  function serve(
    request: IncomingMessage,
    response: ServerResponse,
    listener: RequestListener,
    given: Serves,
  ) {
    const parent = traceparentOf(headerOf(request, 'traceparent'))
    const isProbe = request.url?.startsWith('/health/') === true
    if (isProbe) {
      // the dispatcher wakes functions like this, and then sends a traceparent
      if (isCold && parent !== undefined) coldStart(parent)
      return listener(request, response)
    }
    const began = performance.now()
    const method = methods.has(request.method ?? '') ? request.method! : '_OTHER'
    const { function: name, route } = given
    const handled: Handled = { requestId: headerOf(request, 'x-request-id'), function: name, route }
    const span = startSpan({ name: method, kind: 'server', parent: parent ?? null })
    if (isCold) {
      span.set({ 'faas.coldstart': true })
      coldStart(parent ?? span.traceparent)
    }
    // a gateway passes its headers on
    if (given.isForwarded === true) request.headers.traceparent = span.traceparent
    if (response instanceof TracedResponse) response.traceId = span.traceId
    else response.setHeader('X-Trace-Id', span.traceId)
    response.once('close', () => done(span, handled, method, began, response))
    handling(span, handled, () => listener(request, response))
  }

  /** The sets of attributes that have occurred. They are few, and frozen, so that they are recognized. */
  const known = new Map<string, AttributesOf<'http.server.request.duration'>>()

  function attributesOf(
    method: string,
    route: string | undefined,
    status: number,
    failure: string | undefined,
    name: string,
  ) {
    const key = `${status} ${failure} ${method} ${name} ${route}`
    const found = known.get(key)
    if (found !== undefined) return found
    const attributes = Object.freeze({
      'zeroshop.function': name,
      'http.request.method': method,
      'http.route': route,
      'http.response.status_code': status,
      'url.scheme': 'http',
      'error.type': failure,
    })
    if (known.size < cardinalityLimit) known.set(key, attributes)
    return attributes
  }

  function done(span: Span, handled: Handled, method: string, began: number, response: ServerResponse) {
    const seconds = (performance.now() - began) / 1000
    const status = response.statusCode
    const failure = failureOf(response)
    const { route, requestId } = handled
    const attributes = attributesOf(method, route, status, failure, handled.function ?? name)
    record('http.server.request.duration', seconds, attributes)
    if (span.isSampled) {
      if (route !== undefined) span.rename(`${method} ${route}`)
      span.set(attributes)
      span.set({ 'zeroshop.request_id': requestId })
      span.end(failure)
    }
    requestLog?.info(
      {
        method,
        route,
        status,
        ms: Math.round(seconds * 1000),
        ...(handled.function !== undefined && { function: handled.function }),
        trace_id: span.traceId,
        span_id: span.spanId,
        request_id: requestId,
      },
      'request',
    )
  }

  return {
    serverOptions: { ServerResponse: TracedResponse },
    observed:
      (listener, serves = {}) =>
      (request, response) =>
        serve(request, response, listener, serves),
    listening() {
      listeningAt = now()
      record('faas.init_duration', (listeningAt - performance.timeOrigin) / 1000)
    },
  }
}

/** Returns why a request failed: its status, or that the client has gone. */
function failureOf({ statusCode, writableFinished }: ServerResponse): string | undefined {
  if (statusCode >= 500) return String(statusCode)
  return writableFinished ? undefined : 'client-gone'
}

/** Returns a header as it came. Unlike `request.headers`, this does not parse the others. */
function headerOf({ rawHeaders }: IncomingMessage, name: string): string | undefined {
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const given = rawHeaders[at]!
    if (given.length === name.length && given.toLowerCase() === name) return rawHeaders[at + 1]
  }
  return undefined
}
