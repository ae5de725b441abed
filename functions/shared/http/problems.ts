import * as z from 'zod'
import { gatewayProblems, typeBase } from './gateway-problems.ts'
import type { SecurityDetails } from './security-log.ts'

const {
  'malformed-request': malformed,
  'not-found': notFound,
  'method-not-allowed': methodNotAllowed,
  'body-too-large': bodyTooLarge,
} = gatewayProblems

/**
 * The problems that any function may return (RFC 9457). A domain's own problems are in its problems.ts. The
 * `type` of a problem is `typeBase` followed by its name. Types and titles never change, so that clients can
 * depend on them.
 */
export const problems = {
  'malformed-request': [malformed.status, malformed.title],
  'invalid-request': [400, 'The request is not valid'],
  'idempotency-key-missing': [400, 'An Idempotency-Key header is needed'],
  'not-logged-in': [401, 'Log in first'],
  'session-ended': [401, 'The session has ended'],
  'wrong-role': [403, 'Your role may not do this'],
  'not-found': [notFound.status, notFound.title],
  'method-not-allowed': [methodNotAllowed.status, methodNotAllowed.title],
  'idempotency-key-in-flight': [409, 'The first request with this Idempotency-Key is still running'],
  'stale-version': [412, 'The resource has changed since you read it'],
  'too-slow': [408, 'The request took too long'],
  'body-too-large': [bodyTooLarge.status, bodyTooLarge.title],
  'not-json': [415, 'The body must be application/json'],
  'not-form': [415, 'The body must be a form'],
  'not-lines': [415, 'The body must be lines'],
  'unsupported-charset': [415, 'The body must be in UTF-8'],
  'unsupported-encoding': [415, 'The body must not be compressed'],
  'idempotency-key-reused': [422, 'The Idempotency-Key was used for another request'],
  'if-match-missing': [428, 'An If-Match header is needed'],
  'too-many-attempts': [429, 'Too many attempts'],
  'too-many-requests': [429, 'Too many requests'],
  'too-many-streams': [429, 'Too many streams'],
  'internal-error': [500, 'Something went wrong on our side'],
  overloaded: [503, 'Overloaded'],
  'store-unavailable': [503, 'A store cannot be reached just now'],
} as const satisfies Record<string, readonly [status: number, title: string]>

export type ProblemName = keyof typeof problems

export interface ProblemType {
  name: string
  /** The HTTP status. */
  status: number
  title: string
  /** The schemas of the members that it has in addition (RFC 9457, 3.2). */
  members?: z.ZodRawShape | undefined
}

type Declared = readonly [status: number, title: string, members?: z.ZodRawShape]

/** Declares a domain's own problems. Returns them by name. */
export const declareProblems = <const T extends Record<string, Declared>>(table: T) =>
  Object.fromEntries(
    Object.entries<Declared>(table).map(([name, [status, title, members]]) => [
      name,
      { name, status, title, members },
    ]),
  ) as { [N in keyof T]: ProblemType }

export const typeOfProblem = (problem: ProblemName | ProblemType): ProblemType => {
  if (typeof problem !== 'string') return problem
  const [status, title] = problems[problem]
  return { name: problem, status, title }
}

export const ProblemDocument = z
  .object({
    type: z.string().meta({ example: `${typeBase}invalid-request` }),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
  })
  .meta({ id: 'Problem' })

export type ProblemDocument = z.infer<typeof ProblemDocument>

interface Extra {
  /** Tells a person what to do. */
  detail?: string
  /**
   * The invalid fields, as JSON pointers (RFC 6901) that begin with a part of the request, such as `/body`.
   */
  errors?: { pointer: string; detail: string }[]
  /** The members that its type declares. */
  members?: object
  headers?: Record<string, string>
  /** For the security log if the status is 401, 403 or 429; never sent to the client. */
  security?: SecurityDetails
  /** The error that caused it. It is logged, and never sent to the client. */
  cause?: unknown
}

/** An error that an operation may throw anywhere. It becomes an `application/problem+json` response. */
export class Problem extends Error {
  readonly type: ProblemType
  readonly extra: Extra

  constructor(problem: ProblemName | ProblemType, extra: Extra = {}) {
    const type = typeOfProblem(problem)
    super(extra.detail ?? type.title, { cause: extra.cause })
    this.type = type
    this.extra = extra
  }

  get status(): number {
    return this.type.status
  }

  toDocument(): ProblemDocument {
    const { detail, errors, members } = this.extra
    const { name, status, title } = this.type
    return {
      type: typeBase + name,
      title,
      status,
      ...(detail === undefined ? {} : { detail }),
      ...(errors === undefined ? {} : { errors }),
      ...members,
    }
  }

  /** The headers of the response. */
  get headers(): Record<string, string> {
    return {
      // otherwise a cache may choose how long to keep a 404 (RFC 9111, 4.2.2)
      'cache-control': 'no-store',
      // RFC 9110, 15.5.2
      ...(this.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
      ...this.extra.headers,
      'content-type': 'application/problem+json',
    }
  }

  /** @param more headers in addition */
  toResponse(more: Readonly<Record<string, string>> = {}): Response {
    // not Response.json, which would load undici
    return new Response(JSON.stringify(this.toDocument()), {
      status: this.status,
      headers: { ...this.headers, ...more },
    })
  }
}

/**
 * Returns the problem of a request that cannot be served just now.
 * @param cause what to log; nothing if it is logged already
 */
export const unavailable = (detail: string, cause?: unknown) =>
  new Problem('store-unavailable', { detail, headers: { 'retry-after': '2' }, cause })

export const malformedRequest = () =>
  new Problem('malformed-request', { detail: gatewayProblems['malformed-request'].detail })
