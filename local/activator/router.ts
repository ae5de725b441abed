import { TrieRouter } from 'hono/router/trie-router'

export interface Route {
  /** The function's name. */
  name: string
  method: string
  /** `/api/v1/orders/{id}`: a segment in braces matches any one segment. */
  path: string
}

/** The function for the request, or the methods that the path allows: if there are none, there is no such path. */
export type Match = { name: string } | { allow: string[] }

export interface Router {
  /** `path` is without its query. Segments are compared as sent, without percent-decoding. */
  match(method: string, path: string): Match
}

/**
 * Builds a router. Literal segments take precedence over parameters, method by method: if only GET has `/users/me`,
 * `PATCH /users/me` goes to `PATCH /users/{id}`. HEAD goes to the function for GET.
 * @throws if two routes have the same method and path
 */
export function createRouter(routes: readonly Route[]): Router {
  const router = new TrieRouter<string>()
  // Hono prefers what was added first; in this order, literals precede the brace of a parameter
  for (const { name, method, path } of routes.toSorted((a, b) => (a.path < b.path ? -1 : 1)))
    router.add(method.toUpperCase(), path.replaceAll(/\{(\w+)\}/g, ':$1'), name)
  refuseDuplicates(routes)

  const methods = [...new Set(routes.map(({ method }) => method.toUpperCase()))]
  const find = (method: string, path: string) => router.match(method, path)[0][0]?.[0]
  return {
    match(method, path) {
      const name = find(method, path) ?? (method === 'HEAD' ? find('GET', path) : undefined)
      if (name !== undefined) return { name }
      const allow = methods.filter((method) => find(method, path) !== undefined)
      if (allow.includes('GET') && !allow.includes('HEAD')) allow.push('HEAD')
      return { allow: allow.toSorted() }
    },
  }
}

function refuseDuplicates(routes: readonly Route[]) {
  const seen = new Set<string>()
  for (const { name, method, path } of routes) {
    const key = `${method.toUpperCase()} ${path.replaceAll(/\{\w+\}/g, '{}')}`
    if (seen.has(key))
      throw new Error(`Two functions have ${method.toUpperCase()} ${path}: ${name} is the second`)
    seen.add(key)
  }
}
