import type * as z from 'zod'
import type { Context } from 'hono'
import { malformedRequest, Problem } from './problems.ts'
import { decodeUtf8, faultOfEncoded, faultsOfJson, faultsOfQuery, toPointer, type Fault } from './unicode.ts'

/** How deep a JSON body may nest: far deeper than any of ours, but far less than a parser can handle. */
const maxDepth = 32

/** Returns whether a request may omit the body, which then means `{}`. */
export const isOptional = (body: z.ZodType): boolean => body.safeParse({}).success

/**
 * Reads and parses a JSON body.
 * @param schema what the body must match
 * @throws Problem 415 if it is not declared as JSON in UTF-8, or is compressed; 400 if it cannot be parsed, nests
 *   too deep or contains text that cannot be stored
 */
export async function readJson(c: Context, schema: z.ZodType): Promise<unknown> {
  const body = await c.req.arrayBuffer().catch(refuseBroken)
  if (body.byteLength === 0 && isOptional(schema)) return {}
  if (!/^application\/(?:[\w.-]+\+)?json *(?:;|$)/i.test(c.req.header('content-type') ?? ''))
    throw new Problem('not-json', {
      detail: 'Send the body with Content-Type: application/json.',
      headers: { accept: 'application/json' },
    })
  refuseEncoded(c, 'application/json')
  return parseJson(textOf(body), 'body')
}

/**
 * Reads the fields of a form that a page sends. One that was not sent is empty.
 * @throws Problem 415 if it is not declared as a form in UTF-8, or is compressed; 400 if it is not valid UTF-8
 */
export async function readForm(c: Context): Promise<(name: string) => string> {
  const accept = 'application/x-www-form-urlencoded'
  const body = await c.req.arrayBuffer().catch(refuseBroken)
  const [sent = ''] = (c.req.header('content-type') ?? '').split(';')
  if (sent.trim().toLowerCase() !== accept)
    throw new Problem('not-form', {
      detail: `Send the body with Content-Type: ${accept}.`,
      headers: { accept },
    })
  refuseEncoded(c, accept)
  const fields = new URLSearchParams(textOf(body))
  return (name) => fields.get(name) ?? ''
}

function textOf(body: ArrayBuffer): string {
  const text = decodeUtf8(body)
  if (text === undefined) throw invalid('The body is not valid UTF-8.', '/body')
  return text
}

/**
 * Parses JSON.
 * @param part the part of the request that it is
 * @throws Problem 400 if it is not valid, nests too deep or contains text that cannot be stored
 */
export function parseJson(text: string, part: 'body' | 'line'): unknown {
  if (depthOf(text) > maxDepth) throw invalid(`The ${part} nests deeper than ${maxDepth} levels.`, `/${part}`)
  const value = parse(text, part)
  const faults = faultsOfJson(text, value, `/${part}`)
  if (faults.length > 0) throw faulty(faults)
  return value
}

function parse(text: string, part: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw invalid(`The ${part} is not valid JSON.`, `/${part}`)
  }
}

/**
 * @param accept the media types that the operation takes
 * @throws Problem 415 if the body is declared to be in another charset than UTF-8, or compressed
 */
export function refuseEncoded(c: Context, accept: string): void {
  const [, charset] = /;[ \t]*charset=[ \t]*"?([^";\s]+)/i.exec(c.req.header('content-type') ?? '') ?? []
  if (charset !== undefined && !/^utf-?8$/i.test(charset))
    throw new Problem('unsupported-charset', {
      detail: `Send the body in UTF-8, not in ${charset.slice(0, 40)}.`,
      headers: { accept },
    })
  const coding = c.req.header('content-encoding')?.trim()
  if (coding !== undefined && !/^(?:identity)?$/i.test(coding))
    throw new Problem('unsupported-encoding', {
      detail: `Send the body as it is, without Content-Encoding: ${coding.slice(0, 40)}.`,
      headers: { 'accept-encoding': 'identity' },
    })
}

/** Refuses a body that breaks off, because of its client or its chunks. It is no error of ours. */
export function refuseBroken(): never {
  throw malformedRequest()
}

/** Validates the parameters of the path. */
export function checkPath<S extends z.ZodType>(schema: S, c: Context): z.output<S> {
  const params = check(schema, c.req.param(), 'path')
  const detail = c.req.url.includes('%') ? faultOfEncoded(new URL(c.req.url).pathname) : undefined
  if (detail !== undefined) throw faulty([{ pointer: '/path', detail }])
  return params
}

/** Validates the query. A parameter may be given more than once only if it is a list. */
export function checkQuery<S extends z.ZodType>(schema: S, c: Context): z.output<S> {
  const faults = faultsOfQuery(c.req.url)
  if (faults.length > 0) throw faulty(faults)
  const lists = listsIn(schema)
  const given = Object.entries(c.req.queries())
  const repeated = given.filter(([name, values]) => values.length > 1 && !lists.has(name))
  if (repeated.length > 0)
    throw faulty(
      repeated.map(([name]) => ({ pointer: pointerTo('query', name), detail: 'given more than once' })),
    )
  // as entries, because a name may be `__proto__`
  const values = given.map(([name, values]) => [name, lists.has(name) ? values : values[0]])
  return check(schema, Object.fromEntries(values), 'query')
}

/** Returns the names of the parameters that are lists. */
function listsIn(schema: z.ZodType): Set<string> {
  const { shape = {} } = schema as Partial<z.ZodObject<Record<string, z.ZodType>>>
  return new Set(Object.keys(shape).filter((name) => isList(shape[name]!)))
}

const isList = ({ def }: z.ZodType): boolean =>
  def.type === 'array' || ('innerType' in def && isList(def.innerType as z.ZodType))

/**
 * Validates a part of the request. Returns the parsed value.
 * @param part the name of the part, with which the JSON pointers begin
 * @throws Problem 400 with a JSON pointer to each of at most 20 errors
 */
export function check<S extends z.ZodType>(schema: S, value: unknown, part: string): z.output<S> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const errors = result.error.issues.flatMap((issue) => {
    const pointer = pointerTo(part, ...issue.path)
    if (issue.code !== 'unrecognized_keys') return [{ pointer, detail: issue.message }]
    return issue.keys.map((key) => ({
      pointer: pointerTo(part, ...issue.path, key),
      detail: 'there is no such field',
    }))
  })
  throw faulty(errors)
}

const faulty = (errors: Fault[]) =>
  new Problem('invalid-request', { detail: 'See `errors` for what to change.', errors: errors.slice(0, 20) })

/** Returns a JSON pointer (RFC 6901). */
const pointerTo = (...path: PropertyKey[]) => path.map(toPointer).join('')

const invalid = (detail: string, pointer: string) =>
  new Problem('invalid-request', { detail, errors: [{ pointer, detail }] })

/** Returns how deep the brackets outside of strings nest. */
function depthOf(json: string): number {
  let depth = 0
  let deepest = 0
  let inString = false
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i)
    if (inString) {
      if (code === 0x5c) i++
      else if (code === 0x22) inString = false
    } else if (code === 0x22) inString = true
    else if (code === 0x7b || code === 0x5b) deepest = Math.max(deepest, ++depth)
    else if (code === 0x7d || code === 0x5d) depth--
  }
  return deepest
}
