import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { operations } from '../functions/table.ts'
import { sendProblem } from './activator/problem.ts'
import { createRouter } from './activator/router.ts'
import { withCors, type Origins } from './cors.ts'
import { document, home, jsonPage, sendPage, swagger, type Page } from './pages.ts'
import { answerClientErrors } from '../functions/shared/http/client-errors.ts'
import { hostPattern } from '../functions/shared/http/host.ts'
import { allowUploads } from '../functions/shared/http/uploads.ts'
import { serverOptions } from '../functions/shared/process/serve.ts'
import { removeProxyHeaders } from './client-headers.ts'

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** Starts a server. Returns it with its port, which is chosen if `port` is 0. */
export async function listen(
  handler: Handler,
  port: number,
  host = '127.0.0.1',
): Promise<{ server: Server; port: number }> {
  const server = createServer(serverOptions, handler)
  allowUploads(server, Object.values(operations))
  answerClientErrors(server)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return { server, port: (server.address() as AddressInfo).port }
}

/**
 * Returns the handler of the public server. It answers requests about the system itself and passes all others to `api`.
 * @param scale returns the answer to `GET /_scale`
 * @param origins whose pages may call the shop
 */
export function front(api: Handler, scale: () => unknown, origins: Origins = []): Handler {
  const pages = new Map<string, (request: IncomingMessage) => Page>([
    ['/', home],
    ['/_scale', () => jsonPage(scale())],
    ['/health/readiness', () => jsonPage({ status: 'ok' })],
    ['/health/liveness', () => jsonPage({ status: 'ok' })],
    ['/openapi.json', () => document('openapi.json')],
    ['/asyncapi.json', () => document('asyncapi.json')],
    ['/docs', () => document('index.html')],
    ['/docs/docs.js', () => document('docs.js')],
    ...['swagger-ui.css', 'swagger-ui-bundle.js'].map(
      (name) => [`/docs/${name}`, () => swagger(name)] as const,
    ),
  ])
  const methodsOf = (path: string) => (pages.has(path) ? ofPages : operationsAt(path))
  const answer = withCors(origins, methodsOf, (request, response) => {
    const page = pages.get(request.url?.split('?')[0] ?? '')
    if (page === undefined) return api(request, response)
    if (!ofPages.includes(request.method ?? ''))
      return sendProblem(response, 'method-not-allowed', { Allow: ofPages.join(', ') })
    sendPage(request, response, page(request))
  })
  return (request, response) => {
    // first, because Node reads `headersDistinct` from the raw headers as they came
    if (!isWellFormed(request)) return sendProblem(response, 'malformed-request')
    removeProxyHeaders(request)
    answer(request, response)
  }
}

const ofPages = ['GET', 'HEAD']

const router = createRouter(
  Object.entries(operations).map(([name, { method, path }]) => ({ name, method, path })),
)

/** Returns the methods of the operations at a path. */
function operationsAt(path: string): string[] {
  const found = router.match('OPTIONS', path)
  return 'allow' in found ? found.allow : []
}

/** Whether a request has one Host, and a target (RFC 9112, 3.2). */
function isWellFormed({ url = '', headersDistinct: { host = [] } }: IncomingMessage): boolean {
  if (host.length !== 1 || !wellFormedHost.test(host[0]!)) return false
  return url.startsWith('/') || url === '*' || URL.canParse(url)
}

const wellFormedHost = new RegExp(hostPattern)
