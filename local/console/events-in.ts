import { typePrefix } from '../../events/event.ts'

/** Attributes as the relay and the dispatcher write them. In a string of the data, the quotes would be escaped. */
const types = new RegExp(`"type":"${typePrefix.replaceAll('.', String.raw`\.`)}([\\w.-]+)"`, 'g')
const trace = /"traceparent":"[\da-f]{2}-([\da-f]{32})-/

/**
 * Returns the types of the events in a delivery with their numbers, and the trace of the first that has one. It reads
 * nothing else, and does not parse the body.
 * @param body undefined if it was too large to be read before it was sent
 * @param on the types that the reaction takes
 */
export function eventsIn(
  body: Buffer | undefined,
  on: readonly string[],
): { events: [type: string, count: number][]; trace?: string } {
  if (body === undefined) return { events: [] }
  const text = body.toString('latin1')
  const found = new Map<string, number>()
  for (const [, type = ''] of text.matchAll(types))
    if (on.includes(type)) found.set(type, (found.get(type) ?? 0) + 1)
  const first = trace.exec(text)?.[1]
  return { events: [...found], ...(first !== undefined && { trace: first }) }
}
