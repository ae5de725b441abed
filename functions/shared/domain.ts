import type * as z from 'zod'

/**
 * How a domain declares itself in its `domain.ts`. Manifests, gateways, roles, secrets and documents are made from
 * this declaration, so it is data: nothing in it loads a driver or a function.
 */

export type Role = 'customer' | 'seller' | 'staff' | 'admin'

/** Who may call: anyone, anyone logged in, or these roles. The function itself checks who owns a resource. */
export type Caller = 'anyone' | 'user' | readonly Role[]

/** `zero` scales on concurrency, down to none; `warm` never goes below one; `cpu` scales on CPU. */
export type Scaling = 'zero' | 'warm' | 'cpu'

interface Row {
  summary: string
  scaling: Scaling
  /** How many requests one instance takes at once. */
  concurrency: number
  /** The largest number of instances. */
  maxScale: number
  /** The event types that it emits; it cannot emit any other. */
  emits: readonly string[]
}

export interface OperationRow extends Row {
  method: 'get' | 'post' | 'patch' | 'delete'
  path: string
  by: Caller
  /** Needs an Idempotency-Key, because it creates or charges. */
  idempotent?: true
  /** Part of an order's way from the catalogue to the shipment: small installations keep it. */
  core?: true
  /** It uses LISTEN, which needs a connection to PostgreSQL past the pooler. */
  listens?: true
  /** It answers with a stream that may stay open for so many seconds. */
  streamSeconds?: number
}

export interface ReactionRow extends Row {
  /** The event types that it runs on. */
  on: readonly string[]
  /** The event that it emits if all goes well: the dispatcher starts the next reactions early (events/wake.ts). */
  leadsTo?: string
}

/** A setting of a domain's functions, beside those that every function has. */
export interface DomainSetting {
  /** What it is, for the error message that asks for it. */
  description: string
  /** A secret: a file that `npm run secrets` fills with random bytes, or with the private key of a key pair. */
  secret?: 'random' | 'private key'
  /** The container's address of a service beside the functions; Compose sets it, Knative's overlays do. */
  service?: string
}

export interface EventSpec {
  summary: string
  /** It is emitted with a date, and published when that has come. */
  scheduled?: true
  data: z.ZodObject
}

export interface Domain {
  /** The name of its folder, its schema and its database role. */
  name: string
  /** What it is about, for the map of the functions. */
  summary: string
  store: 'postgres' | 'mongodb'
  /** PostgreSQL: the files of its folder that declare tables. */
  tables?: readonly string[]
  /** MongoDB: the collections whose documents hold an outbox. */
  outboxes?: readonly string[]
  settings?: Readonly<Record<string, DomainSetting>>
  /** Networks that its functions reach, beside that of their store. */
  networks?: readonly string[]
  /** The events that it emits, by type. */
  events: Readonly<Record<string, EventSpec>>
  operations: Readonly<Record<string, OperationRow>>
  reactions: Readonly<Record<string, ReactionRow>>
}

type Open = (...args: never[]) => Promise<{ deps: unknown }>

/** Declares a domain: `domain<typeof open>()({ … })`, where `open` gives its functions what they need. */
export const domain =
  <O extends Open>() =>
  <const D extends Domain>(declaration: D): D & { deps?: Awaited<ReturnType<O>>['deps'] } =>
    declaration

type Given<R extends Row> = Partial<R> & Omit<R, keyof Row>
type OperationGiven = Omit<Given<OperationRow>, 'method' | 'path' | 'summary'> & { by: Caller }

const http =
  <const M extends OperationRow['method']>(method: M) =>
  <const P extends string, const G extends OperationGiven>(path: P, summary: string, given: G) => ({
    scaling: 'zero' as Scaling,
    concurrency: 50,
    maxScale: 4,
    emits: [] as readonly string[],
    method,
    path,
    summary,
    ...given,
  })

/** Operations by their HTTP method. */
export const get = http('get')
export const post = http('post')
export const patch = http('patch')
export const del = http('delete')

/** A reaction to events of these types. */
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
