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
  const unsafe = own('unsafe')
  /** Has the client that a transaction is given watched, too. It is the parameter of the last argument. */
  const scoped =
    (name: string): Callable =>
    (...args) => {
      const work = args.pop() as Scope
      return own(name)(...args, (inner: postgres.Sql) => work(watchPostgres(inner, context)))
    }
  const replaced = new Map<string | symbol, Callable>([
    ['unsafe', (...args) => watch(unsafe(...args))],
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
  query.handler = (query) => {
    const began = performance.now()
    const { operation, attributes } = described(query.strings[0])
    const span =
      currentSpan()?.isSampled === true
        ? startSpan({ name: `${operation} postgresql`, kind: 'client', attributes })
        : undefined
    const end = (failure?: string) => {
      const seconds = (performance.now() - began) / 1000
      record(
        'db.client.operation.duration',
        seconds,
        failure === undefined ? attributes : { ...attributes, 'error.type': failure },
      )
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
}

/** The first words of queries, and their attributes. */
const operations = ['select', 'insert', 'update', 'delete', 'with', 'begin', 'commit', 'rollback', 'set'].map(
  (word) => ({ word, ...describe(word.toUpperCase()) }),
)
const other = describe('OTHER')

function describe(operation: string) {
  const attributes = { 'db.system.name': 'postgresql', 'db.operation.name': operation }
  // frozen, so that they are recognized
  return { operation, attributes: Object.freeze(attributes) }
}

/** Returns the operation of a query, if its first word is a well-known one. */
function described(text = '') {
  const begin = text.trimStart()
  return operations.find(({ word }) => begin.startsWith(word)) ?? other
}
