import type * as z from 'zod'
import type { EventSpec } from '../functions/shared/domain.ts'
import type { Actor } from '../functions/shared/auth/actor.ts'
import type { Registry } from '../functions/shared/registry.ts'

type Events = Registry['events']

export type EventType = keyof Events
type DataOf<E> = E extends { data: infer S extends z.ZodType } ? z.infer<S> : never
export type EventData<T extends EventType> = { [K in T]: DataOf<Events[K]> }[T]

/** An event before it is encoded as a CloudEvent. */
export interface ShopEvent<T extends EventType = EventType> {
  id: string
  type: T
  /** The CloudEvents `source`: the domain that emits it, such as `/orders`. */
  source: string
  /** The id (or SKU) of the thing that the event is about. */
  subject: string
  time: Date
  traceparent?: string
  /** Who caused it; events of earlier versions do not say. */
  actor?: Actor
  data: EventData<T>
}

/** Event types by name: those that a function may emit, or that a reaction runs on. */
export type EventSpecs = Readonly<Record<string, EventSpec>>

/** Thrown for an event that a reaction can never handle. */
export class InvalidEvent extends Error {}

export const typePrefix = 'dev.zeroshop.'

/** Returns the version of an event's subject, if the event has one. */
export const versionIn = (data: object): number | undefined =>
  'version' in data && typeof data.version === 'number' ? data.version : undefined

/** Returns the NATS subject of an event type. */
export const subjectOf = (type: string) => `zeroshop.${type}`

/** Returns the CloudEvents `source` of a domain's events. */
export const sourceOf = (domain: string) => `/${domain}`
