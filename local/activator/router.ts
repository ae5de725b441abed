// Which function answers a method and a path.

export interface Route {
  /** The function's name. */
  name: string
  method: string
  /** `/api/v1/orders/{id}`: a segment in braces takes any one segment. */
  path: string
}

/** The function that answers, or the methods the path does allow: none of them means there is no such path. */
export type Match = { name: string } | { allow: string[] }

export interface Router {
  /** `path` without query. Segments are compared as sent, without percent-decoding. */
  match(method: string, path: string): Match
}

interface Node {
  literals: Map<string, Node>
  parameter: Node | undefined
  /** Function by method, for paths that end here. */
  methods: Map<string, Match> | undefined
}

/**
 * Builds a router. Literal segments beat parameters, method by method: `/users/me` with only GET leaves `PATCH /users/me`
 * to `PATCH /users/{id}`. HEAD goes to the function for GET.
 * @throws if two routes have the same method and path.
 */
export function createRouter(routes: readonly Route[]): Router {
  const root = node()
  for (const { name, method, path } of routes) {
    const methods = methodsAt(root, path)
    const key = method.toUpperCase()
    if (methods.has(key)) throw new Error(`Two functions answer ${key} ${path}: ${name} is the second`)
    methods.set(key, { name })
  }

  return {
    match(method, path) {
      const found =
        find(root, path, 1, method) ?? (method === 'HEAD' ? find(root, path, 1, 'GET') : undefined)
      if (found) return found
      const allow = new Set<string>()
      collect(root, path, 1, allow)
      if (allow.has('GET')) allow.add('HEAD')
      return { allow: [...allow].sort() }
    },
  }
}

function node(): Node {
  return { literals: new Map(), parameter: undefined, methods: undefined }
}

function methodsAt(root: Node, path: string): Map<string, Match> {
  let at = root
  for (const segment of path.split('/').slice(1)) {
    if (segment.startsWith('{') && segment.endsWith('}')) at = at.parameter ??= node()
    else {
      const next = at.literals.get(segment) ?? node()
      at.literals.set(segment, next)
      at = next
    }
  }
  return (at.methods ??= new Map())
}

/** `from` is where the segment begins; beyond the end of `path` there is none left. */
function find(at: Node, path: string, from: number, method: string): Match | undefined {
  if (from > path.length) return at.methods?.get(method)
  const slash = path.indexOf('/', from)
  const end = slash === -1 ? path.length : slash
  const literal = at.literals.get(path.slice(from, end))
  const found = literal && find(literal, path, end + 1, method)
  if (found || !at.parameter || end === from) return found
  return find(at.parameter, path, end + 1, method)
}

function collect(at: Node, path: string, from: number, methods: Set<string>): void {
  if (from > path.length) {
    for (const method of at.methods?.keys() ?? []) methods.add(method)
    return
  }
  const slash = path.indexOf('/', from)
  const end = slash === -1 ? path.length : slash
  const literal = at.literals.get(path.slice(from, end))
  if (literal) collect(literal, path, end + 1, methods)
  if (at.parameter && end > from) collect(at.parameter, path, end + 1, methods)
}
