import type postgres from 'postgres'
import { errorType, type Telemetry } from './telemetry.ts'

type Context = Pick<Telemetry, 'record' | 'startSpan'> & { currentSpan: Telemetry['current'] }

/** A query of postgres.js. It runs when it is awaited, and then calls its handler, once. */
interface Query extends Promise<unknown> {
  strings: readonly string[]
  handler: (query: Query) => unknown
}

type Callable = (...args: unknown[]) => unknown
type Scope = (client: postgres.Sql) => unknown

/** Returns the same client, whose queries are measured. In a request, each is a span, too. */
export function watchPostgres(client: postgres.Sql, context: Context): postgres.Sql {
  const watch = <T>(query: T): T => {
    if (isQuery(query)) observe(query, context)
    return query
  }
  const own = (name: string) => Reflect.get(client, name) as Callable
  /** Has the client that a transaction is given watched, too. It is the parameter of the last argument. */
  const scoped =
    (name: string): Callable =>
    (...args) => {
      const work = args.pop() as Scope
      return own(name)(...args, (inner: postgres.Sql) => work(watchPostgres(inner, context)))
    }
  const replaced = new Map<string | symbol, Callable>([
    ['unsafe', (...args) => watch(own('unsafe')(...args))],
    ['begin', scoped('begin')],
    ['savepoint', scoped('savepoint')],
  ])
  return new Proxy(client, {
    apply: (target, self, args: unknown[]) => watch(Reflect.apply(target as Callable, self, args)),
    get: (target, property) => replaced.get(property) ?? (Reflect.get(target, property) as unknown),
  })
}

/** Whether it is a query, and not an identifier or a list of values. */
const isQuery = (value: unknown): value is Query =>
  value instanceof Promise && typeof (value as Partial<Query>).handler === 'function'

/** Has a query measured. A part of another query never calls its handler. */
function observe(query: Query, { record, startSpan, currentSpan }: Context) {
  const { handler } = query
  const own = (query: Query) => {
    const began = performance.now()
    const operation = operationOf(query.strings[0])
    const attributes = { 'db.system.name': 'postgresql', 'db.operation.name': operation }
    const span = currentSpan()?.isSampled
      ? startSpan({ name: `${operation} postgresql`, kind: 'client', attributes })
      : undefined
    const end = (failure?: string) => {
      record('db.client.operation.duration', (performance.now() - began) / 1000, {
        ...attributes,
        'error.type': failure,
      })
      span?.end(failure)
    }
    // not the query's own, which would run it
    void Promise.prototype.then.call(
      query,
      () => end(),
      (error: unknown) => end(errorType(error)),
    )
    return handler(query)
  }
  // postgres.js reads options from it
  query.handler = Object.assign(own, handler)
}

const operations = new Set([
  'SELECT',
  'INSERT',
  'UPDATE',
  'DELETE',
  'WITH',
  'BEGIN',
  'COMMIT',
  'ROLLBACK',
  'SET',
])

/** Returns the first word of a query, if it is a well-known one. */
function operationOf(text = ''): string {
  const word = /^\s*([a-z]+)/i.exec(text)?.[1]?.toUpperCase() ?? ''
  return operations.has(word) ? word : 'OTHER'
}
