import type { reactions, ReactionName } from '../functions/functions.ts'
import { transaction } from '../functions/shared/store/transaction.ts'
import type { DepsOf } from '../functions/shared/deps.ts'
import type { Db, Tx } from '../functions/shared/store/postgres.ts'
import type { EventType, ShopEvent } from './catalogue.ts'
import { inbox } from './tables.ts'

/** The events that the table names for a reaction. */
export type EventOf<N extends ReactionName> = {
  [T in EventType & (typeof reactions)[N]['on'][number]]: ShopEvent<T>
}[EventType & (typeof reactions)[N]['on'][number]]

/** Runs its work, in a transaction, unless this reaction has done this event before; tells whether it ran. */
export type Once = (work: (tx: Tx) => Promise<void>) => Promise<boolean>

export interface Reaction<N extends ReactionName = ReactionName> {
  name: N
  // oxlint-disable-next-line typescript/no-explicit-any -- the dispatcher sends only events that the table names
  handle: (event: any, deps: any) => Promise<void>
}

/**
 * Declares a reaction of the table. It is delivered at least once, so everything that it changes in its store
 * goes through `once`; a call to the outside carries an idempotency key instead. Where it throws, the event is
 * delivered again later.
 */
export function reaction<const N extends ReactionName>(
  name: N,
  handle: (
    event: EventOf<N>,
    deps: DepsOf<(typeof reactions)[N]['domain']> & { once: Once },
  ) => Promise<void>,
): Reaction<N> {
  return { name, handle }
}

/** Runs a reaction on an event; all reactions live in PostgreSQL's domains. */
export const runReaction = ({ name, handle }: Reaction, event: ShopEvent, deps: object): Promise<void> =>
  handle(event, { ...deps, once: onceFor((deps as { db: Db }).db, name, event) })

/** The inbox of a reaction: the row and the work are committed together. */
export const onceFor =
  (db: Db, name: ReactionName, event: ShopEvent): Once =>
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
