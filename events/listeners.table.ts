import { events, reactionsOn } from '../functions/table.ts'

/** The reactions that run on each event type, for the relay. */
export const listeners: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.keys(events).map((type) => [type, reactionsOn(type)]),
)
