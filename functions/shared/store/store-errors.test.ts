import { MongoServerError } from 'mongodb'
import { expect, it } from 'vitest'
import { isUnavailable } from './store-errors.ts'

const withCode = (code: string) => Object.assign(new Error('no'), { code })

it.each([
  'ECONNREFUSED',
  // a host, or a network, that is down
  'EHOSTUNREACH',
  'ENETUNREACH',
  'CONNECTION_CLOSED',
  // read-only: a PostgreSQL that another one has taken over from
  '25006',
  // the limits on a transaction, a statement and a lock
  '25P04',
  '57014',
  '55P03',
  // shut down by its administrator, starting, too many connections
  '57P01',
  '57P03',
  '53300',
])('takes %s for a store that may be back, also where drizzle has wrapped it', (code) => {
  expect(isUnavailable(withCode(code))).toBe(true)
  expect(isUnavailable(new Error('Failed query', { cause: withCode(code) }))).toBe(true)
})

it.each(['NotWritablePrimary', 'PrimarySteppedDown', 'InterruptedAtShutdown', 'ShutdownInProgress'])(
  'takes a MongoDB that answers %s for one that will be back',
  (codeName) => {
    expect(isUnavailable(new MongoServerError({ errmsg: 'not now', code: 1, codeName }))).toBe(true)
  },
)

it('takes no fault of ours for one of the store’s', () => {
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
