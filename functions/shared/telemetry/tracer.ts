import { currentSpan } from './context.ts'
import { encodeSpan, type Attributes, type Place } from './otlp.ts'
import type { Sampler } from './sampler.ts'
import type { SpanBuffer } from './span-buffer.ts'
import type { Span, SpanOptions } from './telemetry.ts'

/** Returns a function that starts spans. */
export function createTracer(sampler: Sampler, buffer: SpanBuffer) {
  return function startSpan(options: SpanOptions): Span {
    const { parent = currentSpan()?.traceparent, beganAt = now() } = options
    const from = parseTraceparent(parent)
    const traceId = from?.traceId ?? randomHex(32)
    const spanId = randomHex(16)
    const isWanted = from !== undefined && sampler.followsParent ? from.isSampled : sampler.root(traceId)
    // A span for which there is no room is not recorded, and neither is what it causes, here or elsewhere: so no
    // recorded span lacks its parent.
    const isSampled = isWanted && buffer.reserve()
    const traceparent = `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`
    if (!isSampled) return { traceId, spanId, traceparent, isSampled, ...ignoring }

    let { name } = options
    let attributes: Attributes = options.attributes ?? {}
    const links: Place[] = []
    let isOpen = true
    const span: Span = {
      traceId,
      spanId,
      traceparent,
      isSampled,
      set: (more) => void (attributes = { ...attributes, ...more }),
      rename: (given) => void (name = given),
      link(to) {
        const place = parseTraceparent(to)
        if (place?.isSampled && place.spanId !== from?.spanId && links.length < mostLinks) links.push(place)
      },
      end(failure, endedAt = now()) {
        if (!isOpen) return
        isOpen = false
        const { kind } = options
        const parentId = from?.spanId
        buffer.add(
          encodeSpan({ traceId, spanId, parentId, name, kind, beganAt, endedAt, attributes, links, failure }),
        )
      },
    }
    for (const link of options.links ?? []) span.link(link)
    return span
  }
}

/** The specification's limit. */
const mostLinks = 128

const ignoring = { set() {}, rename() {}, link() {}, end() {} }

/** Returns the time in ms since 1970, with microseconds, and without a step if the clock is set. */
export const now = () => performance.timeOrigin + performance.now()

/** Parses a traceparent that was validated (http/trace-context.ts), or made here. */
function parseTraceparent(traceparent: string | null | undefined) {
  if (traceparent == null) return undefined
  const [, traceId = '', spanId = '', flags = ''] = traceparent.split('-')
  return { traceId, spanId, isSampled: Number.parseInt(flags, 16) % 2 === 1 }
}

/** Returns random digits. They need not be unguessable, so they are not worth loading node:crypto. */
function randomHex(length: 16 | 32): string {
  let hex = ''
  while (hex.length < length)
    hex += Math.floor(Math.random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0')
  // all zeros would be invalid
  return /[^0]/.test(hex) ? hex : `${hex.slice(1)}1`
}
