import { corsExposedHeaders, corsRequestHeaders, preflightSeconds } from '../functions/shared/http/cors.ts'
import { UserError } from '../functions/shared/process/user-error.ts'
import type { Handler } from './front.ts'

/** The origins whose pages may call the shop. */
export type Origins = '*' | readonly string[]

/**
 * Reads the setting CORS_ORIGINS: `*`, or origins with spaces or commas between them; none if it is not set.
 * @throws UserError if one is not an origin
 */
export function readOrigins(setting = ''): Origins {
  const origins = setting.split(/[\s,]+/).filter(Boolean)
  if (origins.length === 1 && origins[0] === '*') return '*'
  for (const origin of origins)
    if (URL.parse(origin)?.origin !== origin)
      throw new UserError(
        `CORS_ORIGINS: ${origin} is not an origin. Set it to origins such as https://shop.example.org, or to *.`,
      )
  return origins
}

/**
 * Has a handler answer pages of other origins, as Caddy does elsewhere (compose/caddyfile.ts).
 * @param methodsOf returns the methods of a path
 */
export function withCors(origins: Origins, methodsOf: (path: string) => string[], next: Handler): Handler {
  if (origins.length === 0) return next
  return (request, response) => {
    response.setHeader('Vary', 'Origin')
    const { origin } = request.headers
    if (origin === undefined || !(origins === '*' || origins.includes(origin))) return next(request, response)
    response.setHeader('Access-Control-Allow-Origin', origin)
    response.setHeader('Access-Control-Expose-Headers', corsExposedHeaders)
    const isPreflight =
      request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined
    const methods = isPreflight ? methodsOf(request.url?.split('?')[0] ?? '') : []
    if (methods.length === 0) return next(request, response)
    response
      .writeHead(204, {
        'Access-Control-Allow-Methods': methods.join(', '),
        'Access-Control-Allow-Headers': corsRequestHeaders,
        'Access-Control-Max-Age': preflightSeconds,
      })
      .end()
  }
}
