import { currentSpan } from './context.ts'
import { encodeSpan, type Attributes, type Place, type Value } from './otlp.ts'
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
    if (!isSampled)
      return {
        traceId,
        spanId,
        traceparent,
        isSampled,
        set: nothing,
        rename: nothing,
        link: nothing,
        end: nothing,
      }

    let { name } = options
    const own: Record<string, Value> = {}
    const attributes: Attributes[] = [own]
    const set = (more: Attributes) => {
      // what is frozen is encoded only once
      if (Object.isFrozen(more)) attributes.push(more)
      else Object.assign(own, more)
    }
    if (options.attributes !== undefined) set(options.attributes)
    const links: Place[] = []
    let isOpen = true
    const span: Span = {
      traceId,
      spanId,
      traceparent,
      isSampled,
      set,
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

const nothing = () => {}

/** Returns the time in ms since 1970, with microseconds, and without a step if the clock is set. */
export const now = () => performance.timeOrigin + performance.now()

/** Parses a traceparent that was validated (http/trace-context.ts), or made here. */
function parseTraceparent(traceparent: string | null | undefined) {
  if (traceparent == null) return undefined
  const [, traceId = '', spanId = '', flags = ''] = traceparent.split('-')
  return { traceId, spanId, isSampled: Number.parseInt(flags, 16) % 2 === 1 }
}

const random = Buffer.alloc(16)

/** Returns random digits. They need not be unguessable, so they are not worth loading node:crypto. */
function randomHex(digits: 16 | 32): string {
  for (let at = 0; at < digits / 2; at += 4) random.writeUInt32BE(Math.floor(Math.random() * 2 ** 32), at)
  // all zeros would be invalid
  random[0] ||= 1
  return random.toString('hex', 0, digits / 2)
}
