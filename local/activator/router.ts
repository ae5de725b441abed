import { TrieRouter } from 'hono/router/trie-router'

export interface Route {
  /** The function's name. */
  name: string
  method: string
  /** For example `/api/v1/orders/{id}`. A segment in braces matches any segment. */
  path: string
}

/** The name of the function, or the methods that the path allows (none if the path is unknown). */
export type Match = { name: string } | { allow: string[] }

export interface Router {
  /** Finds the function for a path without its query. Segments are not percent-decoded. */
  match(method: string, path: string): Match
}

/**
 * Creates a router. Literal segments take precedence over parameters, separately for each method: if only GET has
 * `/users/me`, then `PATCH /users/me` matches `PATCH /users/{id}`. HEAD matches the function for GET.
 * @throws if two routes have the same method and path
 */
export function createRouter(routes: readonly Route[]): Router {
  const router = new TrieRouter<string>()
  // Hono prefers the route that was added first; in this order, literals come before parameters, which begin with a brace
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
