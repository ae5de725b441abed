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
 * Creates a router. A path with a literal segment comes before one with a parameter there, as in OpenAPI: if there is
 * `/users/me`, then `/users/{id}` does not match `/users/me`, whatever the method. HEAD matches the function for GET.
 * @throws if two routes have the same method and path
 */
export function createRouter(routes: readonly Route[]): Router {
  refuseDuplicates(routes)
  const paths = Map.groupBy(routes, ({ path }) => unnamed(path))
  const router = new TrieRouter<readonly Route[]>()
  // Hono prefers the route that was added first; in this order, literals come before parameters, which begin with a brace
  for (const [path, there] of [...paths].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    router.add('ALL', path.replaceAll('{}', ':name'), there)
  return {
    match(method, path) {
      const there = router.match('ALL', path)[0][0]?.[0] ?? []
      const find = (wanted: string) => there.find((route) => route.method.toUpperCase() === wanted)
      const found = find(method) ?? (method === 'HEAD' ? find('GET') : undefined)
      if (found !== undefined) return { name: found.name }
      const allow = new Set(there.map((route) => route.method.toUpperCase()))
      if (allow.has('GET')) allow.add('HEAD')
      return { allow: [...allow].toSorted() }
    },
  }
}

/** Returns a path without the names of its parameters. */
const unnamed = (path: string) => path.replaceAll(/\{\w+\}/g, '{}')

function refuseDuplicates(routes: readonly Route[]) {
  const seen = new Set<string>()
  for (const { name, method, path } of routes) {
    const key = `${method.toUpperCase()} ${unnamed(path)}`
    if (seen.has(key))
      throw new Error(`Two functions have ${method.toUpperCase()} ${path}: ${name} is the second`)
    seen.add(key)
  }
}
