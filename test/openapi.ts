import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { openApiDocument } from '../docs/openapi.ts'
import { operations } from '../functions/table.ts'
import type { Answered } from './shop.ts'

// only the fields that are read here
const document = (await openApiDocument()) as unknown as {
  paths: Record<string, Record<string, { responses: Record<string, DocumentedResponse> }>>
  components: { schemas: Record<string, object> }
}

interface DocumentedResponse {
  headers?: Record<string, unknown>
  content?: Record<string, { schema: object }>
}

const ajv = new Ajv2020({ strict: false, allErrors: true })
// its types support only this way to import it
;(addFormats as unknown as (ajv: Ajv2020) => void)(ajv)
ajv.addSchema({
  $id: 'openapi',
  components: {
    schemas: Object.fromEntries(
      // closed where they are used, because schemas in `allOf` must accept each other's fields
      Object.entries(document.components.schemas).map(([name, schema]) => [name, closeInside(schema)]),
    ),
  },
})
const compiled = new Map<object, ValidateFunction>()

/** The documented headers that some answers lack: those of limits, if these are switched off. */
const notAlways = new Set(['Link', 'RateLimit', 'RateLimit-Policy'])

/**
 * Checks the status, headers and body of a response against the OpenAPI document.
 * @param path with or without the API's prefix
 * @throws if they differ, or if the body has a field that is not documented
 */
export function checkAnswer(
  method: string,
  path: string,
  answer: Pick<Answered, 'status' | 'headers' | 'text' | 'body'>,
): void {
  const documented = find(method, path.split('?')[0]!)
  const where = `${method} ${path} returned ${answer.status}`
  if (documented === undefined) {
    // for an address without an operation
    if (answer.status === 404 || answer.status === 405) return
    throw new Error(`${where}, but there is no such operation`)
  }
  const response = documented[answer.status]
  if (response === undefined) throw new Error(`${where}, which is not documented: ${answer.text}`)
  for (const name of Object.keys(response.headers ?? {}))
    if (!notAlways.has(name) && !answer.headers.has(name))
      throw new Error(`${where} without the documented header ${name}`)
  if (response.content === undefined) {
    if (answer.text !== '') throw new Error(`${where} with a body that is not documented: ${answer.text}`)
    return
  }
  const type = answer.headers.get('content-type')?.split(';')[0] ?? ''
  const content = response.content[type]
  if (content === undefined) throw new Error(`${where} with the type ${type}, which is not documented`)
  if (type === 'text/event-stream') return
  const validate =
    compiled.get(content) ??
    ajv.compile(JSON.parse(JSON.stringify(close(content.schema)).replaceAll('"#/', '"openapi#/')))
  compiled.set(content, validate)
  const bodies =
    type === 'application/x-ndjson'
      ? linesIn(answer.text)
      : [['text/html', 'application/pdf'].includes(type) ? answer.text : answer.body]
  for (const body of bodies)
    if (!validate(body))
      throw new Error(
        `${where}, which does not match its schema: ${ajv.errorsText(validate.errors)}: ${answer.text}`,
      )
}

/** Returns the values of an answer in NDJSON. */
export const linesIn = (text: string) =>
  text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))

/** Returns a copy of a schema that allows no undeclared fields, at any depth. */
function close(schema: object): object {
  const closed = closeInside(schema)
  return 'additionalProperties' in closed ? closed : { ...closed, unevaluatedProperties: false }
}

/** Closes the schemas within a schema. */
function closeInside(schema: object): object {
  const inside = ([keyword, value]: [string, unknown]): [string, unknown] => {
    // keywords of JSON Schema, by the kind of their values
    if (keyword === 'properties')
      return [keyword, Object.fromEntries(Object.entries(value as object).map(([k, v]) => [k, close(v)]))]
    if (keyword === 'allOf') return [keyword, (value as object[]).map(closeInside)]
    if (keyword === 'anyOf' || keyword === 'oneOf') return [keyword, (value as object[]).map(close)]
    if ((keyword === 'items' || keyword === 'additionalProperties') && typeof value === 'object')
      return [keyword, close(value!)]
    return [keyword, value]
  }
  return Object.fromEntries(Object.entries(schema).map(inside))
}

/** Paths that are not below /api/v1. */
const outside = new Set(
  Object.values(operations).flatMap(({ path }) => (path.startsWith('/api/') ? [] : [path as string])),
)

/** Returns the path of a request whose path below /api/v1, or elsewhere, is given. */
export const fullPath = (path: string) =>
  /^\/(?:\.|api\/)/.test(path) || outside.has(path.split('?')[0]!) ? path : `/api/v1${path}`

function find(method: string, path: string) {
  const segments = fullPath(path).split('/')
  const candidates = Object.values(operations)
    .filter((row) => row.method === method.toLowerCase())
    .map((row) => row.path.split('/'))
    .filter(
      (pattern) =>
        pattern.length === segments.length && pattern.every((s, i) => s.startsWith('{') || s === segments[i]),
    )
  // a literal segment takes precedence over a parameter
  const [nearest] = candidates.toSorted((a, b) => count(a) - count(b))
  return nearest && document.paths[nearest.join('/')]?.[method.toLowerCase()]?.responses
}

const count = (pattern: string[]) => pattern.filter((s) => s.startsWith('{')).length
