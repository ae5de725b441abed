import {
  MongoBulkWriteError,
  MongoClientClosedError,
  MongoNetworkError,
  MongoNetworkTimeoutError,
  MongoNotConnectedError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
  type BulkWriteResult,
  type TopologyDescription,
} from 'mongodb'
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

const mongoOutages = [
  ['is stopping', { code: 91, codeName: 'ShutdownInProgress', errmsg: 'no' }],
  ['was stopped', { code: 11_600, codeName: 'InterruptedAtShutdown', errmsg: 'no' }],
  ['has stepped down', { code: 189, codeName: 'PrimarySteppedDown', errmsg: 'no' }],
  ['is no primary', { code: 10_107, codeName: 'NotWritablePrimary', errmsg: 'no' }],
  ['has a full disk', { code: 14_031, codeName: 'OutOfDiskSpace', errmsg: 'no' }],
  ['has broken on a full disk', { code: 1, errmsg: 'internal server error' }],
] as const

it.each(mongoOutages)('treats the error of a MongoDB that %s as an outage that may end', (_, error) => {
  expect(isUnavailable(new MongoServerError(error))).toBe(true)
})

it.each(mongoOutages)(
  'does so for writes that were sent together to a MongoDB that %s',
  (_, { code, errmsg }) => {
    const taken = { code: 11_000, errmsg: 'taken' }
    const failed = { code, errmsg }
    const nothing = {} as BulkWriteResult
    for (const error of [
      new MongoBulkWriteError(new MongoServerError({ code, errmsg }), nothing),
      new MongoBulkWriteError({ message: errmsg, code, writeErrors: [failed] as never }, nothing),
      new MongoBulkWriteError(
        { message: 'taken', code: 11_000, writeErrors: [taken, failed] as never },
        nothing,
      ),
    ])
      expect(isUnavailable(error)).toBe(true)
  },
)

it.each([
  new MongoNetworkError('connection 7 to 127.0.0.1:27017 closed'),
  new MongoNetworkTimeoutError('connection 7 to 127.0.0.1:27017 timed out'),
  new MongoServerSelectionError('connect ECONNREFUSED 127.0.0.1:27017', {} as TopologyDescription),
  new MongoNotConnectedError('Client must be connected before running operations'),
  new MongoTopologyClosedError(),
  new MongoClientClosedError(),
])('treats $name as an outage that may end, also if it has ended a bulk write', (error) => {
  expect(isUnavailable(error)).toBe(true)
  const wrapped = new MongoBulkWriteError(error, {} as BulkWriteResult)
  expect(isUnavailable(wrapped)).toBe(true)
  expect(reasonOf(wrapped)).toEqual(reasonOf(error))
})

it('does not treat other errors as an outage of the store', () => {
  for (const error of [
    withCode('23505'),
    withCode('42P01'),
    withCode('ERR_INVALID_ARG_TYPE'),
    new MongoServerError({ errmsg: 'taken', code: 11_000, codeName: 'DuplicateKey' }),
    new MongoBulkWriteError({ message: 'taken', code: 11_000, writeErrors: [] }, {} as BulkWriteResult),
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
