import { readFileSync, statSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { dirname, extname, join } from 'node:path'
import { namesTag } from '../functions/shared/http/entity-tag.ts'

/** A page about the system itself. */
export interface Page {
  type: string
  /** Changes with the content, if the page is a file. */
  etag?: string
  /** How long a browser may use it without asking, in seconds. */
  maxAge?: number
  /** The request header on which it depends. */
  vary?: string
  read: () => string | Buffer
}

const types: Record<string, string> = {
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.html': 'text/html; charset=utf-8',
}

/** Returns a file as a page. */
export function filePage(path: string, maxAge = 0): Page {
  const { size, mtimeMs } = statSync(path)
  const etag = `"${size.toString(36)}-${Math.round(mtimeMs).toString(36)}"`
  return { type: types[extname(path)]!, etag, maxAge, read: () => readFileSync(path) }
}

/** Returns a file of the `docs` folder as a page. */
export const document = (name: string) => filePage(join(import.meta.dirname, '../docs', name))

/** Returns the page at `/`: for a person, or for a program. */
export const home = ({ headers: { accept = '' } }: IncomingMessage): Page => ({
  ...document(accept.includes('text/html') ? 'home.html' : 'home.json'),
  vary: 'Accept',
})

/** Returns a file of Swagger UI as a page. It changes only with a new version. */
export const swagger = (name: string) => filePage(join(swaggerFolder(), name), 3_600)

const swaggerFolder = () => dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))

export const jsonPage = (value: unknown): Page => ({
  type: 'application/json',
  read: () => JSON.stringify(value, null, 2),
})

/** Answers GET or HEAD with a page, or with 304 if the client has it. */
export function sendPage(request: IncomingMessage, response: ServerResponse, page: Page): void {
  const { type, etag, maxAge = 0, vary } = page
  // the front may have set others
  if (vary !== undefined) response.appendHeader('Vary', vary)
  const known = request.headers['if-none-match']
  const caching = {
    'cache-control': maxAge > 0 ? `public, max-age=${maxAge}` : 'no-cache',
    ...(etag === undefined ? {} : { etag }),
  }
  if (etag !== undefined && known !== undefined && namesTag(known, etag))
    return void response.writeHead(304, caching).end()
  const body = page.read()
  const length = Buffer.byteLength(body)
  response.writeHead(200, { 'content-type': type, 'content-length': length, ...caching }).end(body)
}
