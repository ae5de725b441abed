import * as z from 'zod'

/**
 * Every problem that Zeroshop answers with (RFC 9457): its stable `type` is the key behind `typeBase`, and its
 * title never changes, so that a client can depend on either.
 */
export const problems = {
  'invalid-request': [400, 'The request is not valid'],
  'idempotency-key-missing': [400, 'An Idempotency-Key header is needed'],
  'not-logged-in': [401, 'Log in first'],
  'wrong-credentials': [401, 'The e-mail address or password is wrong'],
  'session-ended': [401, 'The session has ended'],
  'wrong-password': [403, 'The current password is wrong'],
  'wrong-role': [403, 'Your role may not do this'],
  'not-found': [404, 'There is no such resource'],
  'method-not-allowed': [405, 'The resource has no such method'],
  'idempotency-key-in-flight': [409, 'The first request with this Idempotency-Key is still running'],
  'email-taken': [409, 'The e-mail address is taken'],
  'last-admin': [409, 'The shop needs an admin'],
  'sku-taken': [409, 'The SKU is taken'],
  'wrong-order-status': [409, 'The order’s status does not allow this'],
  'wrong-payment-status': [409, 'The payment’s status does not allow this'],
  'stock-too-low': [409, 'The stock is too low'],
  'refund-too-large': [409, 'The refund is larger than what is left of the payment'],
  'stale-version': [412, 'The resource has changed since you read it'],
  'body-too-large': [413, 'The body is too large'],
  'not-json': [415, 'The body must be application/json'],
  'idempotency-key-reused': [422, 'The Idempotency-Key was used for another request'],
  'unknown-sku': [422, 'The shop has no such SKU'],
  'mixed-currencies': [422, 'An order has one currency'],
  'order-too-large': [422, 'The order is too large'],
  'if-match-missing': [428, 'An If-Match header is needed'],
  'too-many-attempts': [429, 'Too many attempts'],
  'internal-error': [500, 'Something went wrong on our side'],
  'payment-provider-failed': [502, 'The payment provider did not do it'],
  'payment-provider-unavailable': [503, 'The payment provider cannot be reached just now'],
  'store-unavailable': [503, 'A store cannot be reached just now'],
} as const satisfies Record<string, readonly [status: number, title: string]>

export type ProblemName = keyof typeof problems
export type ProblemStatus = (typeof problems)[ProblemName][0]

export const typeBase = 'https://zeroshop.dev/problems/'

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
  /** What to do, for a person. */
  detail?: string
  /** Where a request is not valid: JSON pointers (RFC 6901) from the part of the request that they name. */
  errors?: { pointer: string; detail: string }[]
  headers?: Record<string, string>
  /** What led to it, for the log; never answered. */
  cause?: unknown
}

/** Thrown anywhere in an operation; answered as `application/problem+json`. */
export class Problem extends Error {
  readonly problem: ProblemName
  readonly extra: Extra

  constructor(problem: ProblemName, extra: Extra = {}) {
    super(extra.detail ?? problems[problem][1], { cause: extra.cause })
    this.problem = problem
    this.extra = extra
  }

  get status(): ProblemStatus {
    return problems[this.problem][0]
  }

  toDocument(): ProblemDocument {
    const { detail, errors } = this.extra
    const [status, title] = problems[this.problem]
    return {
      type: typeBase + this.problem,
      title,
      status,
      ...(detail === undefined ? {} : { detail }),
      ...(errors === undefined ? {} : { errors }),
    }
  }

  toResponse(): Response {
    return Response.json(this.toDocument(), {
      status: this.status,
      // a 404 may otherwise be cached for as long as a cache sees fit (RFC 9111, 4.2.2)
      headers: {
        'cache-control': 'no-store',
        // RFC 9110, 15.5.2
        ...(this.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
        ...this.extra.headers,
        'content-type': 'application/problem+json',
      },
    })
  }
}
