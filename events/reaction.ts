import type { Registry } from '../functions/shared/registry.ts'
import { transaction } from '../functions/shared/store/transaction.ts'
import type { Db, Tx } from '../functions/shared/store/postgres.ts'
import { errorCode, isUnavailable, sqlState } from '../functions/shared/store/store-errors.ts'
import { withCause } from '../functions/shared/store/cause.ts'
import { telemetry, within, type Span } from '../functions/shared/telemetry/telemetry.ts'
import type { Cause } from './emit.ts'
import type { EventType, ShopEvent } from './event.ts'
import { inGroups } from './groups.ts'

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

type DomainDeps<N extends ReactionName> = Registry['deps'][Reactions[N]['domain']]

/* oxlint-disable typescript/no-explicit-any -- the dispatcher sends only events that the table names */
export type Reaction<N extends string = string> =
  | { name: N; handle: (event: any, deps: any) => Promise<void> }
  | { name: N; prepare: (event: any, deps: any) => unknown; write: Write<any, any, any> }
/* oxlint-enable typescript/no-explicit-any */

/**
 * Writes the effects of events that nobody has handled yet. No two of them have the same subject.
 * @param store the transaction; the domain's dependencies if its store is MongoDB
 * @param found what was prepared for each event
 */
type Write<S, E, F> = (store: S, events: readonly E[], found: readonly F[]) => Promise<void>

type StoreOf<D> = D extends { db: Db } ? Tx : D

/**
 * Implements a reaction of the table. Events are delivered at least once, so every change to PostgreSQL must
 * run in `once`. A call to an outside service has an idempotency key instead, and a change to MongoDB must do
 * nothing when it is repeated. If the reaction throws, the event is delivered again later.
 */
export function reaction<const N extends ReactionName>(
  name: N,
  handle: (event: EventOf<N>, deps: DepsOf<DomainDeps<N>>) => Promise<void>,
): Reaction<N> {
  return { name, handle }
}

/**
 * Implements a reaction that writes the effects of all waiting events in one transaction, which takes a fraction of the
 * time if there are many. If the transaction fails, each event has one of its own, so that one bad event fails alone. In
 * MongoDB there is no transaction, so what is written must do nothing when it is repeated.
 * @param prepare what has to be done for each event before, outside of the transaction, such as a call to an outside
 *   service
 */
export function batchReaction<const N extends ReactionName, F = undefined>(
  name: N,
  {
    prepare = () => undefined as F,
    write,
  }: {
    prepare?: (event: EventOf<N>, deps: DomainDeps<N>) => F | Promise<F>
    write: Write<StoreOf<DomainDeps<N>>, EventOf<N>, F>
  },
): Reaction<N> {
  return { name, prepare, write }
}

/** Runs a reaction on an event. */
export type Run = (event: ShopEvent) => Promise<void>

/**
 * Returns what runs a reaction in this process.
 * @param cause the reaction's domain and the events that it may emit; the trace is the event's
 */
export function openReaction(
  reaction: Reaction,
  deps: object,
  cause: Omit<Cause, 'traceparent' | 'actor'>,
): Run {
  const { name } = reaction
  // only PostgreSQL has an inbox
  if (!('db' in deps)) {
    if ('handle' in reaction) return (event) => reaction.handle(event, deps)
    return grouping(
      reaction,
      () => deps,
      (events, found) => reaction.write(deps, events, found),
    )
  }
  const { db } = deps as { db: Db }
  const onBehalfOf = ({ traceparent }: ShopEvent) => withCause(db, { ...cause, traceparent })
  if ('handle' in reaction)
    return (event) => {
      const used = onBehalfOf(event)
      const once: Once = (work) => onceFor(used, name, [event], work)
      return reaction.handle(event, { ...deps, db: used, once })
    }
  return grouping(
    reaction,
    (event) => ({ ...deps, db: onBehalfOf(event) }),
    (events, found) => onceFor(withCause(db, cause), name, events, (tx) => reaction.write(tx, events, found)),
  )
}

/** Returns what prepares each event, and writes the effects of those that are prepared in groups. */
function grouping(
  { prepare }: Extract<Reaction, { prepare: unknown }>,
  depsFor: (event: ShopEvent) => object,
  writeAll: (events: ShopEvent[], found: unknown[]) => Promise<unknown>,
): Run {
  const add = inGroups<Prepared>(
    (group) =>
      // the group was begun by another event
      within(group[0]?.span, () =>
        writeAll(
          group.map(({ event }) => event),
          group.map(({ found }) => found),
        ),
      ),
    { by: ({ event }) => event.subject, isHopeless },
  )
  return async (event) => {
    const found: unknown = await prepare(event, depsFor(event))
    await add({ event, found, span: telemetry()?.current() })
  }
}

/** Whether each event of a group would fail alone, too. A row that someone has locked concerns only one of them. */
const isHopeless = (error: unknown) => isUnavailable(error) && errorCode(error) !== sqlState.lockNotAvailable

interface Prepared {
  event: ShopEvent
  found: unknown
  /** The span in which the event is handled. */
  span: Span | undefined
}

/**
 * Runs the work in a transaction, unless this reaction has already handled the events. Their inbox rows and the work are
 * committed together. The work begins before it is known whether the events are new, which saves a round trip; if they
 * are not, it is rolled back.
 * @returns whether it ran
 * @throws if some of the events have been handled and others not
 */
async function onceFor(
  db: Db,
  name: string,
  events: readonly Pick<ShopEvent, 'id'>[],
  work: (tx: Tx) => Promise<void>,
): Promise<boolean> {
  try {
    await transaction(db, async (tx) => {
      // started first, whatever starts the work
      const inserting = insertInbox(tx, name, events).execute()
      const [inserted, worked] = await Promise.allSettled([inserting, work(tx)])
      if (inserted.status === 'rejected') throw inserted.reason
      const { count } = inserted.value
      if (count === 0) throw new AlreadyHandled()
      // the domain's role may not read the inbox, so it is not known which
      if (count < events.length) throw new Error('some of these events are already handled')
      if (worked.status === 'rejected') throw worked.reason
    })
    return true
  } catch (error) {
    if (error instanceof AlreadyHandled) return false
    throw error
  }
}

class AlreadyHandled extends Error {}

/** Inserts the rows of events into the inbox that are not there yet. If one is being inserted elsewhere, waits for it. */
const insertInbox = (tx: Tx, name: string, events: readonly Pick<ShopEvent, 'id'>[]) => tx.client`
  insert into events.inbox (reaction, event_id)
  select ${name}, id::uuid from jsonb_array_elements_text(${JSON.stringify(events.map(({ id }) => id))}::jsonb) as id
  on conflict do nothing`
