import type { Registry } from '../functions/shared/registry.ts'
import { transaction } from '../functions/shared/store/transaction.ts'
import type { Db, Tx } from '../functions/shared/store/postgres.ts'
import { withCause } from '../functions/shared/store/cause.ts'
import type { Cause } from './emit.ts'
import type { EventType, ShopEvent } from './event.ts'
import { inbox } from './tables.ts'

type Reactions = Registry['reactions']
export type ReactionName = keyof Reactions

/** The events that the table names for a reaction. */
export type EventOf<N extends ReactionName> = { [T in TypesOf<N>]: ShopEvent<T> }[TypesOf<N>]

type TypesOf<N extends ReactionName> = Reactions[N] extends { on: infer O extends readonly string[] }
  ? EventType & O[number]
  : never

/** Runs its work in a transaction unless this reaction has done this event before; returns whether it ran. */
export type Once = (work: (tx: Tx) => Promise<void>) => Promise<boolean>

export interface Reaction<N extends string = string> {
  name: N
  // oxlint-disable-next-line typescript/no-explicit-any -- the dispatcher sends only events that the table names
  handle: (event: any, deps: any) => Promise<void>
}

/**
 * Declares a reaction of the table. It is delivered at least once, so everything that it changes in its store
 * goes through `once`; a call to the outside carries an idempotency key instead. If it throws, the event is
 * delivered again later.
 */
export function reaction<const N extends ReactionName>(
  name: N,
  handle: (
    event: EventOf<N>,
    deps: Registry['deps'][Reactions[N]['domain']] & { once: Once },
  ) => Promise<void>,
): Reaction<N> {
  return { name, handle }
}

/**
 * Runs a reaction on an event; all reactions live in PostgreSQL's domains.
 * @param cause of what it does; its trace is the event's
 */
export function runReaction(
  { name, handle }: Reaction,
  event: ShopEvent,
  deps: object,
  cause: Omit<Cause, 'traceparent'>,
): Promise<void> {
  const db = withCause((deps as { db: Db }).db, { ...cause, traceparent: event.traceparent })
  return handle(event, { ...deps, db, once: onceFor(db, name, event) })
}

/** The inbox of a reaction: the row and the work are committed together. */
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
