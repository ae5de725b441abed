import { events, reactionsOn } from '../functions/table.ts'

/** The names of the reactions to each event type, for the relay. */
export const listeners: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.keys(events).map((type) => [type, reactionsOn(type)]),
)
