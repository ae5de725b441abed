import { MongoServerError } from 'mongodb'
import { expect, it } from 'vitest'
import { isUnavailable, reasonOf } from './store-errors.ts'

const withCode = (code: string) => Object.assign(new Error('no'), { code })

it.each([
  'ECONNREFUSED',
  // a host or a network that is down
  'EHOSTUNREACH',
  'ENETUNREACH',
  'CONNECTION_CLOSED',
  // read-only: another PostgreSQL has taken over from this one
  '25006',
  // the timeouts of a transaction, a statement and a lock
  '25P04',
  '57014',
  '55P03',
  // shut down by its administrator, starting, too many connections
  '57P01',
  '57P03',
  '53300',
])('treats %s as an outage that may end, also if drizzle has wrapped the error', (code) => {
  expect(isUnavailable(withCode(code))).toBe(true)
  expect(isUnavailable(new Error('Failed query', { cause: withCode(code) }))).toBe(true)
})

it.each(['NotWritablePrimary', 'PrimarySteppedDown', 'InterruptedAtShutdown', 'ShutdownInProgress'])(
  'treats %s from MongoDB as an outage that will end',
  (codeName) => {
    expect(isUnavailable(new MongoServerError({ errmsg: 'not now', code: 1, codeName }))).toBe(true)
  },
)

it.each([
  ['is full', { code: 14_031, codeName: 'OutOfDiskSpace', errmsg: 'no' }],
  ['has failed', { code: 1, errmsg: 'internal server error' }],
])('treats an error from a MongoDB whose disk %s as an outage that may end', (_, error) => {
  expect(isUnavailable(new MongoServerError(error))).toBe(true)
})

it('does not treat other errors as an outage of the store', () => {
  for (const error of [
    withCode('23505'),
    withCode('42P01'),
    withCode('ERR_INVALID_ARG_TYPE'),
    new MongoServerError({ errmsg: 'taken', code: 11_000, codeName: 'DuplicateKey' }),
    new TypeError('undefined is not a function'),
    'no error at all',
  ])
    expect(isUnavailable(error)).toBe(false)
})

const pooler = (message: string) => Object.assign(new Error(message), { code: '08P01' })

it.each(['SASL authentication failed', 'no such user'])(
  'treats “%s” from a pooler as a refused role, and not as an outage',
  (message) => {
    expect(isUnavailable(pooler(message))).toBe(false)
    expect(reasonOf(pooler(message)).reason).toBe('it refuses the role or its password')
  },
)

it.each([
  'server login has been failing, cached error: connect failed (server_login_retry)',
  'query_wait_timeout',
  'server shutting down',
])('treats “%s” from a pooler as an outage that may end, and gives it as the reason', (message) => {
  expect(isUnavailable(pooler(message))).toBe(true)
  expect(reasonOf(new Error('Failed query', { cause: pooler(message) })).reason).toBe(message)
})
