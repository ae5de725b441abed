import type * as z from 'zod'
import type { Context } from 'hono'
import { Problem } from './problems.ts'

/** How deep a JSON body may nest: far deeper than any of ours, but far less than a parser can handle. */
const maxDepth = 32

/**
 * Reads and parses a JSON body.
 * @throws Problem 415 if it is not declared as JSON, 400 if it cannot be parsed or nests too deep
 */
export async function readJson(c: Context): Promise<unknown> {
  if (!/^application\/(?:[\w.-]+\+)?json *(?:;|$)/i.test(c.req.header('content-type') ?? ''))
    throw new Problem('not-json', { detail: 'Send the body with Content-Type: application/json.' })
  const text = await c.req.text()
  if (depthOf(text) > maxDepth) throw invalid(`The body nests deeper than ${maxDepth} levels.`, '/body')
  try {
    return JSON.parse(text)
  } catch {
    throw invalid('The body is not valid JSON.', '/body')
  }
}

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
  throw new Problem('invalid-request', {
    detail: 'See `errors` for what to change.',
    errors: errors.slice(0, 20),
  })
}

/** Returns a JSON pointer (RFC 6901). */
const pointerTo = (...path: PropertyKey[]) =>
  path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

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
