import { expect } from 'vitest'
import type { Answered } from './shop.ts'

/** Written out, because clients depend on them and they must not change. */
export const problems = {
  'malformed-request': [400, 'The request is not well formed'],
  'invalid-request': [400, 'The request is not valid'],
  'idempotency-key-missing': [400, 'An Idempotency-Key header is needed'],
  'not-logged-in': [401, 'Log in first'],
  'session-ended': [401, 'The session has ended'],
  'wrong-role': [403, 'Your role may not do this'],
  'not-found': [404, 'There is no such resource'],
  'method-not-allowed': [405, 'The resource has no such method'],
  'request-timeout': [408, 'The request took too long'],
  'stale-version': [412, 'The resource has changed since you read it'],
  'body-too-large': [413, 'The body is too large'],
  'not-json': [415, 'The body must be application/json'],
  'unsupported-charset': [415, 'The body must be in UTF-8'],
  'unsupported-encoding': [415, 'The body must not be compressed'],
  'idempotency-key-reused': [422, 'The Idempotency-Key was used for another request'],
  'if-match-missing': [428, 'An If-Match header is needed'],
  'too-many-requests': [429, 'Too many requests'],
  'headers-too-large': [431, 'The headers are too large'],
} as const satisfies Record<string, Problem>

type Problem = readonly [status: number, title: string]

interface Fault {
  pointer: string
  detail: string
}

/** Expects a problem that any function may return: its status, its type and every field. */
export const expectProblem = (
  answer: Answered,
  name: keyof typeof problems,
  detail: string,
  errors?: Fault[],
) => expectOwnProblem(answer, name, problems[name], detail, errors)

/** Expects a problem that only one domain returns. The test writes it out. */
export function expectOwnProblem(
  answer: Answered,
  name: string,
  [status, title]: Problem,
  detail: string,
  errors?: Fault[],
) {
  expect({ status: answer.status, body: answer.body }).toEqual({
    status,
    body: {
      type: `https://zeroshop.dev/problems/${name}`,
      title,
      status,
      detail,
      ...(errors === undefined ? {} : { errors }),
    },
  })
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect(answer.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer' : null)
}

export const expectInvalid = (answer: Answered, ...errors: Fault[]) =>
  expectProblem(answer, 'invalid-request', 'See `errors` for what to change.', errors)
