/**
 * What pages of other origins may send and read (the CORS protocol of the Fetch standard). Gateways answer for
 * every function; they never allow credentials, because the shop's only cookie is for its own pages.
 */

/** The request headers that a page may set. */
export const corsRequestHeaders = [
  'Authorization',
  'Cart-Token',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'Last-Event-ID',
  'Traceparent',
  'X-Request-Id',
].join(', ')

/** The response headers that a page may read, beside those that every page may. */
export const corsExposedHeaders = [
  'Cart-Token',
  'ETag',
  'Idempotency-Replayed',
  'Link',
  'Location',
  'RateLimit',
  'RateLimit-Limit',
  'RateLimit-Policy',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'Retry-After',
  'X-Request-Id',
  'X-Trace-Id',
].join(', ')

/** How long a browser may keep the answer to a preflight, in seconds. No browser keeps it for longer. */
export const preflightSeconds = 7_200
