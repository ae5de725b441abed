import { outside } from './context.ts'
import type { Collected, Instruments } from './instruments.ts'
import { encodeMetrics, encodeSpans, type Attributes } from './otlp.ts'
import { send, type Target } from './send.ts'
import type { SpanBuffer } from './span-buffer.ts'

export interface ExporterOptions {
  /** Where to, without `/v1/…`. */
  target: Target
  resource: Attributes
  instruments: Instruments
  spans: SpanBuffer
  /** How often to send, in ms. */
  intervalMs: number
  /** How long the collector may take to answer, in ms. */
  timeoutMs: number
}

/**
 * How long to wait before spans are sent early, because many wait, in ms. With the size of the buffer, it bounds what a
 * process spends on its spans: some 2,000 a second.
 */
const earlyMs = 500
/** How long sending at the end of the process may take, in ms. */
const lastMs = 500

export type Exporter = ReturnType<typeof startExporter>

/**
 * Sends metrics and spans to the collector, regularly and at the end. One request of each kind is under way at a time.
 * What the collector does not take is dropped and counted, so a process never waits for it.
 */
export function startExporter({
  target,
  resource,
  instruments,
  spans,
  intervalMs,
  timeoutMs,
}: ExporterOptions) {
  const to = (path: string): Target => ({ ...target, url: `${target.url}/v1/${path}` })
  let since = Date.now()
  let isAway = false
  let early: NodeJS.Timeout | undefined
  const sendSpans = oneAtATime(trySpans)
  const sendMetrics = oneAtATime(tryMetrics)
  const timer = setInterval(() => {
    void sendSpans(timeoutMs)
    void sendMetrics(timeoutMs)
  }, intervalMs).unref()

  async function trySpans(ms: number) {
    const taken = spans.take()
    if (taken === undefined) return
    const { bytes, length, count } = taken
    const parts = encodeSpans(resource, bytes.subarray(0, length))
    const { outcome, rejected = 0 } = await send(to('traces'), parts, ms)
    isAway = outcome !== 'taken'
    if (outcome === 'refused') return spans.putBack(taken)
    // of what is lost, some may still be being written
    if (outcome === 'taken') spans.release(taken)
    dropped('spans', outcome === 'lost' ? count : rejected)
  }

  async function tryMetrics(ms: number, { withGauges = true } = {}) {
    const collected = await instruments.collect({ withGauges })
    if (collected.length === 0) return
    // a point must not end before one that another process with the same name has sent already
    const now = Date.now()
    const body = encodeMetrics(resource, collected, { since, now })
    const { outcome, rejected = 0 } = await send(to('metrics'), [body], ms)
    if (outcome === 'refused') return instruments.putBack(collected)
    since = now
    dropped('metrics', outcome === 'lost' ? pointsOf(collected) : rejected)
  }

  function dropped(signal: 'spans' | 'metrics', count: number) {
    if (count > 0) instruments.add('zeroshop.telemetry.dropped', count, { signal })
  }

  return {
    /** Sends spans soon, because many wait. A collector that is away is tried at the next interval. */
    soon(): void {
      if (isAway) return
      early ??= outside(() =>
        setTimeout(() => {
          early = undefined
          void sendSpans(timeoutMs)
        }, earlyMs).unref(),
      )
    },
    /** Stops, and sends what is left, within half a second. */
    async close(): Promise<void> {
      clearInterval(timer)
      clearTimeout(early)
      // gauges ask stores that are about to be closed
      const last = outside(() => Promise.all([sendSpans(lastMs), sendMetrics(lastMs, { withGauges: false })]))
      await Promise.race([last, pause(lastMs)])
    },
  }
}

/** Returns a function that first waits for its previous call. Calls that wait are one. */
function oneAtATime<A extends unknown[]>(work: (...args: A) => Promise<void>) {
  let running: Promise<void> = Promise.resolve()
  let waiting: Promise<void> | undefined
  return (...args: A): Promise<void> =>
    (waiting ??= running.then(() => {
      waiting = undefined
      // a mistake here must not end a process that serves
      running = work(...args).catch(() => {})
      return running
    }))
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms).unref())

const pointsOf = (collected: readonly Collected[]) =>
  collected.reduce((sum, { series }) => sum + series.length, 0)
