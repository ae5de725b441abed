import { setTimeout as pause } from 'node:timers/promises'
import { EventSourceParserStream } from 'eventsource-parser/stream'
import type { Client, Schemas } from './client.ts'
import { ApiError, good } from './good.ts'

type Entry = Schemas['TimelineEntry']

/** How long an order may take to reach a state, in ms. */
const patienceMs = 60_000
/** The pause before a stream that ended is opened again, in ms. */
const reconnectMs = 250

/**
 * Yields the entries of an order's timeline from the beginning, each as soon as it is written. It does not
 * end by itself. If the stream ends or breaks, or no connection can be made, it tries again and continues with the next
 * entry, as an EventSource does.
 * @throws ApiError if the order cannot be read, or an AbortError after 60 s
 */
export async function* watchOrder(who: Client, id: string): AsyncGenerator<Entry> {
  const signal = AbortSignal.timeout(patienceMs)
  let last: string | undefined
  for (;;) {
    const stream = await openStream(who, id, last, signal)
    for await (const event of eventsOf(stream)) {
      last = event.id
      // the shop sends entries as JSON
      yield JSON.parse(event.data) as Entry
    }
    await pause(reconnectMs, undefined, { signal })
  }
}

/** Opens an order's stream after an entry. Returns undefined if it has no more entries, or no connection can be made. */
async function openStream(who: Client, id: string, last: string | undefined, signal: AbortSignal) {
  try {
    const { data, error, response } = await who.GET('/orders/{id}/events', {
      params: { path: { id }, ...(last !== undefined && { header: { 'Last-Event-ID': last } }) },
      parseAs: 'stream',
      signal,
    })
    if (!response.ok) throw new ApiError(response, error)
    return data
  } catch (error) {
    // fetch's error if the gateway is being replaced
    if (error instanceof TypeError) return undefined
    throw error
  }
}

/** Yields the events of a stream until it ends or breaks. */
async function* eventsOf(stream: Response['body'] | undefined) {
  // if an order has ended and has no more entries, the response is a 204
  if (stream == null) return
  try {
    yield* stream.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())
  } catch {
    // a process that stops, or a proxy, may break the stream at any time
  }
}

/** Waits until an order's timeline has an entry of every type. Returns the types so far, in order. */
export async function waitForEntries(who: Client, id: string, ...types: string[]): Promise<string[]> {
  const seen: string[] = []
  try {
    for await (const { type } of watchOrder(who, id)) {
      seen.push(type)
      if (types.every((wanted) => seen.includes(wanted))) break
    }
    return seen
  } catch (error) {
    const entries = seen.join(', ') || 'none'
    throw new Error(`Order ${id} did not reach ${types.join(', ')}; its entries: ${entries}`, {
      cause: error,
    })
  }
}

/** Returns an order's timeline so far. */
export async function readTimeline(who: Client, id: string): Promise<Entry[]> {
  return (await good(who.GET('/orders/{id}/timeline', { params: { path: { id } } }))).items
}
