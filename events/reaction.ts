import type { Registry } from '../functions/shared/registry.ts'
import { transaction } from '../functions/shared/store/transaction.ts'
import type { Db, Tx } from '../functions/shared/store/postgres.ts'
import { withCause } from '../functions/shared/store/cause.ts'
import type { Cause } from './emit.ts'
import type { EventType, ShopEvent } from './event.ts'
import { inbox } from './tables.ts'

type Reactions = Registry['reactions']
export type ReactionName = keyof Reactions

/** The events that a reaction handles, from its row. */
export type EventOf<N extends ReactionName> = { [T in TypesOf<N>]: ShopEvent<T> }[TypesOf<N>]

type TypesOf<N extends ReactionName> = Reactions[N] extends { on: infer O extends readonly string[] }
  ? EventType & O[number]
  : never

/**
 * Runs the work in a transaction, unless this reaction has already handled the event. Returns whether it ran.
 */
export type Once = (work: (tx: Tx) => Promise<void>) => Promise<boolean>

/** `once` is there if the domain's store is PostgreSQL. */
type DepsOf<D> = D extends { db: Db } ? D & { once: Once } : D

export interface Reaction<N extends string = string> {
  name: N
  // oxlint-disable-next-line typescript/no-explicit-any -- the dispatcher sends only events that the table names
  handle: (event: any, deps: any) => Promise<void>
}

/**
 * Implements a reaction of the table. Events are delivered at least once, so every change to PostgreSQL must
 * run in `once`. A call to an outside service has an idempotency key instead, and a change to MongoDB must do
 * nothing when it is repeated. If the reaction throws, the event is delivered again later.
 */
export function reaction<const N extends ReactionName>(
  name: N,
  handle: (event: EventOf<N>, deps: DepsOf<Registry['deps'][Reactions[N]['domain']]>) => Promise<void>,
): Reaction<N> {
  return { name, handle }
}

/**
 * Runs a reaction on an event.
 * @param cause the reaction's domain and the events that it may emit; the trace is the event's
 */
export function runReaction(
  { name, handle }: Reaction,
  event: ShopEvent,
  deps: object,
  cause: Omit<Cause, 'traceparent' | 'actor'>,
): Promise<void> {
  if (!('db' in deps)) return handle(event, deps)
  const db = withCause(deps.db as Db, { ...cause, traceparent: event.traceparent })
  return handle(event, { ...deps, db, once: onceFor(db, name, event) })
}

/** Returns a reaction's `once`. The inbox row and the work are committed together. */
export const onceFor =
  (db: Db, name: string, event: Pick<ShopEvent, 'id'>): Once =>
  (work) =>
    transaction(db, async (tx) => {
      const { count } = await tx
        .insert(inbox)
        .values({ reaction: name, eventId: event.id })
        .onConflictDoNothing()
      if (count === 0) return false
      await work(tx)
      return true
    })
