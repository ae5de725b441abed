import type * as z from 'zod'
import type { Meter } from './telemetry/telemetry.ts'

/**
 * The types of the declaration in a domain's `domain.ts`. Manifests, gateways, roles, secrets and documents
 * are generated from it. The declaration is plain data: it loads neither a driver nor a function.
 */

export type Role = 'customer' | 'seller' | 'staff' | 'admin'

/**
 * Who may call an operation: `anyone`, any logged-in `user`, or the given roles. The function itself checks
 * who owns a resource.
 */
export type Caller = 'anyone' | 'user' | readonly Role[]

/**
 * How a function scales: `zero` on concurrency, down to no instance; `warm` likewise, but down to one
 * instance; `cpu` on CPU, down to one instance. With `npm start`, every function starts from zero.
 */
export type Scaling = 'zero' | 'warm' | 'cpu'

/** How many requests a caller may make to an operation within `seconds`. LIMITS_FACTOR multiplies it. */
export interface RequestLimits {
  /** For each user. */
  user: number
  /** For each network, of callers who are not logged in. Many people may share one. */
  network: number
  seconds: number
}

interface Row {
  summary: string
  scaling: Scaling
  /** How many requests one instance handles at the same time. */
  concurrency: number
  /** The largest number of instances. */
  maxScale: number
  /** The event types that it emits. It cannot emit others. */
  emits: readonly string[]
  /** The networks that it needs, and the other functions of its domain do not. */
  networks?: readonly string[]
}

export interface OperationRow extends Row {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  path: string
  by: Caller
  limits: RequestLimits
  /** Requires an Idempotency-Key, because it creates something or charges money. */
  idempotent?: true
  /**
   * Needed to take an order from the catalogue to the shipment. Small installations run only such operations.
   */
  core?: true
  /** The domains that it leaves secrets for, such as card tokens, which events must not contain. */
  leavesSecretsFor?: readonly string[]
  /**
   * Refuses the access token of a session that has ended, within seconds: for what moves money or stock, changes prices
   * or rights, reads others' data, or orders. Its domain has the reaction `onEndedSessions` and, among its
   * dependencies, `isSessionEnded`.
   */
  fresh?: true
  /** A network whose services call it directly, and not through the gateway: that of the payment provider. */
  calledFrom?: string
  /** Uses LISTEN, which needs a direct connection to PostgreSQL, without the pooler. */
  listens?: true
  /** Returns a stream that may stay open for this many seconds; Knative allows at most 600. */
  streamSeconds?: number
  /**
   * Reads its body line by line, of at most this many MiB, while it answers (http/lines). `streamSeconds` limits both
   * together.
   */
  uploadMiB?: number
  /** How many such streams a caller may hold at a time in one process. Every operation with `streamSeconds` has it. */
  streams?: number
}

export interface ReactionRow extends Row {
  /** The event types that it runs on. */
  on: readonly string[]
  /**
   * The event that it emits if it succeeds. The dispatcher starts the reactions to that event early
   * (events/wake.ts).
   */
  leadsTo?: string
  /**
   * Nothing waits for its effects, so its events wait a moment for others, with which they are delivered together.
   */
  patient?: true
  /**
   * Keeps a projection of what the events report. The functions of its domain may also read these events
   * before the reaction has handled them (events/state-events.ts).
   */
  projects?: true
}

/** A setting of a domain's functions, in addition to those that every function has. */
export interface DomainSetting {
  /** What it is, for the error message if it is missing. */
  description: string
  /**
   * If it is a secret: whether `npm run secrets` fills its file with random bytes, with the private key of a
   * key pair, or with a key for the signatures of events/signature.ts.
   */
  secret?: 'random' | 'private key' | 'signing key'
  /**
   * If it is the address of a service that runs beside the functions: the address of that service's
   * container. Compose sets it; on Knative, the overlays set their own.
   */
  service?: string
}

export interface EventSpec {
  summary: string
  /** The event is emitted with a date, and published at that date. */
  scheduled?: true
  data: z.ZodObject
  /** What an emitted event adds to the metrics of the shop, once it is committed. */
  measure?(data: object, meter: Meter): void
}

export interface Domain {
  /** The name of the domain, its folder, its schema and its database role. */
  name: string
  /** What the domain is about, for the generated map of the functions. */
  summary: string
  store: 'postgres' | 'mongodb'
  /** For PostgreSQL: the files in its folder that declare tables. */
  tables?: readonly string[]
  /** For PostgreSQL: the tables whose rows its role may add and read, but neither change nor delete. */
  appendOnly?: readonly string[]
  /** For MongoDB: the collections whose documents have an outbox. */
  outboxes?: readonly string[]
  settings?: Readonly<Record<string, DomainSetting>>
  /** The networks that its functions need, in addition to that of their store. */
  networks?: readonly string[]
  /** The events that it emits, by type. */
  events: Readonly<Record<string, EventSpec>>
  operations: Readonly<Record<string, OperationRow>>
  reactions: Readonly<Record<string, ReactionRow>>
}

type Open = (...args: never[]) => Promise<{ deps: unknown }>

/** Declares a domain: `domain<typeof open>()({ … })`. `open` returns the dependencies of its functions. */
export const domain =
  <O extends Open>() =>
  <const D extends Domain>(declaration: D): D & { deps?: Awaited<ReturnType<O>>['deps'] } =>
    declaration

type Given<R extends Row> = Partial<R> & Omit<R, keyof Row>
type OperationGiven = Omit<Given<Omit<OperationRow, 'limits'>>, 'method' | 'path' | 'summary'> & {
  by: Caller
  limits?: Partial<RequestLimits>
}

const reads = { user: 6_000, network: 6_000, seconds: 60 }
const writes = { user: 600, network: 600, seconds: 60 }

const http =
  <const M extends OperationRow['method']>(method: M, limits: RequestLimits) =>
  <const P extends string, const G extends OperationGiven>(path: P, summary: string, given: G) => ({
    scaling: 'zero' as Scaling,
    concurrency: 50,
    maxScale: 4,
    emits: [] as readonly string[],
    method,
    path,
    summary,
    ...given,
    limits: { ...limits, ...given.limits },
  })

/** Each of these declares an operation with its HTTP method. */
export const get = http('get', reads)
export const post = http('post', writes)
export const put = http('put', writes)
export const patch = http('patch', writes)
export const del = http('delete', writes)

/** Declares a reaction to events of these types. */
export const on = <const O extends readonly string[]>(
  types: O,
  summary: string,
  given: Partial<Omit<ReactionRow, 'on' | 'summary'>> = {},
) => ({
  scaling: 'zero' as Scaling,
  concurrency: 20,
  maxScale: 3,
  emits: [] as readonly string[],
  on: types,
  summary,
  ...given,
})

/**
 * Declares the reaction with which a domain forgets a deleted user: the answers that it keeps for them, and whatever
 * else it knows about the person. Each domain with an operation that is `idempotent` has one.
 */
export const onDeletedUser = (summary: string, given: { emits?: readonly string[] } = {}) =>
  on(['user.deleted'], summary, { maxScale: 1, ...given })

/** Declares the reaction that keeps a domain's projection of ended sessions. It is warm, so that it is never late. */
export const onEndedSessions = on(['session.ended'], 'Refuses the tokens of sessions that have ended', {
  scaling: 'warm',
  maxScale: 1,
})
