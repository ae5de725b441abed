// The algorithm of Knative's pod autoscaler (KPA): computes the number of processes of a function from its concurrency.

/** The window is divided into 60 buckets. With the default window, a bucket is a second, as in the KPA. */
const BUCKETS = 60
const TARGET_UTILIZATION = 0.7
const PANIC_WINDOW_SHARE = 0.1
const PANIC_THRESHOLD = 2
const MAX_SCALE_UP_RATE = 1000
const MAX_SCALE_DOWN_RATE = 2
/** The KPA's target for a function without a limit (`containerConcurrency: 0`). */
const UNLIMITED_TARGET = 100

export interface AutoscalerOptions {
  /** How many requests an instance handles at once (Knative's `containerConcurrency`); 0 means no limit. */
  concurrency: number
  minScale: number
  maxScale: number
  /** The stable window in seconds; the panic window is a tenth of it. */
  windowSeconds?: number
}

export interface Decision {
  /** When it was made: the `now` of the call. */
  at: number
  ready: number
  desired: number
  panic: boolean
  /** The average concurrency in the stable window. */
  stableAverage: number
  /** The average concurrency in the panic window. */
  panicAverage: number
  /** For people: `panic: 12.0 concurrent requests over 6 s need 18 instances, at least 2 × the 3 that are ready`. */
  reason: string
}

export interface Autoscaler {
  /** Records that from `now` on, `concurrency` requests are in flight or waiting. */
  observe(now: number, concurrency: number): void
  /** Counts as traffic, so that an instance that was started without a request is kept for a window. */
  touch(now: number): void
  /** Returns the average concurrency in the stable and in the panic window. */
  averages(now: number): { stable: number; panic: number }
  /** Decides how many instances there should be, given that `ready` instances are ready. */
  decide(now: number, ready: number): Decision
}

/**
 * Creates an autoscaler. It has no timers: each call gets the time, in ms since any epoch, which must never decrease.
 *
 * Source: https://knative.dev/docs/serving/autoscaling/kpa-specific/ and `pkg/autoscaler/scaling/autoscaler.go` of
 * knative/serving. There is one difference. In the first bucket after an idle window there is no average yet, so the
 * decision depends on the current requests and the full concurrency of an instance. The first request therefore starts
 * one instance, not two.
 */
export function createAutoscaler(options: AutoscalerOptions): Autoscaler {
  const { minScale, windowSeconds = 60 } = options
  const maxScale = Math.max(1, options.maxScale)
  const capacity = options.concurrency > 0 ? options.concurrency : UNLIMITED_TARGET
  const target = capacity * TARGET_UTILIZATION
  const windowMs = windowSeconds * 1000
  const bucketMs = windowMs / BUCKETS
  const panicBuckets = Math.max(1, Math.round(BUCKETS * PANIC_WINDOW_SHARE))
  const panicSeconds = windowSeconds * PANIC_WINDOW_SHARE

  /** The concurrency in each bucket, times milliseconds. */
  const areas = new Float64Array(BUCKETS)
  /** The number of the current bucket, counted from the epoch. */
  let bucket = 0
  let current = 0
  let observedUntil = -Infinity
  let historySince = -Infinity
  let trafficUntil = -Infinity
  /** Like `trafficUntil`, but `touch` counts as traffic. */
  let busyUntil = -Infinity
  let panicAt: number | undefined
  let panicFloor = 0

  function advance(now: number): void {
    if (now <= observedUntil) return
    const nowBucket = Math.floor(now / bucketMs)
    if (nowBucket - bucket >= BUCKETS) {
      areas.fill(current * bucketMs)
      areas[nowBucket % BUCKETS] = current * (now - nowBucket * bucketMs)
    } else {
      while (bucket < nowBucket) {
        const end = (bucket + 1) * bucketMs
        addUntil(end)
        observedUntil = Math.max(observedUntil, end)
        bucket += 1
        areas[bucket % BUCKETS] = 0
      }
      addUntil(now)
    }
    bucket = nowBucket
    observedUntil = now
    if (current > 0) {
      trafficUntil = now
      busyUntil = now
    }
  }

  function addUntil(end: number): void {
    if (current === 0 || end <= observedUntil) return
    areas[bucket % BUCKETS] = (areas[bucket % BUCKETS] ?? 0) + current * (end - observedUntil)
  }

  function average(now: number, buckets: number): number {
    const since = Math.max(historySince, (bucket - buckets + 1) * bucketMs)
    if (now - since <= 0) return current
    let area = 0
    for (let i = 0; i < buckets; i += 1) area += areas[(bucket - i + BUCKETS) % BUCKETS] ?? 0
    return area / (now - since)
  }

  function isIdle(now: number): boolean {
    return current === 0 && now - busyUntil >= windowMs
  }

  function averages(now: number): { stable: number; panic: number } {
    advance(now)
    if (isIdle(now)) return { stable: 0, panic: 0 }
    return { stable: average(now, BUCKETS), panic: average(now, panicBuckets) }
  }

  function observe(now: number, concurrency: number): void {
    advance(now)
    if (concurrency > 0) {
      if (now - trafficUntil >= windowMs) {
        // Like the KPA after a window without data: the idle time must not lower the new average.
        areas.fill(0)
        historySince = now
        bucket = Math.floor(now / bucketMs)
        observedUntil = now
      }
      trafficUntil = Math.max(trafficUntil, now)
      busyUntil = Math.max(busyUntil, now)
    }
    current = concurrency
  }

  function decide(now: number, ready: number): Decision {
    advance(now)
    const idle = isIdle(now)
    const young = !idle && now - historySince < bucketMs
    const { stable: stableAverage, panic: panicAverage } = averages(now)
    const base = Math.max(1, ready)
    const wants = (value: number): number =>
      idle ? 0 : Math.max(1, young ? divideUp(current, capacity) : divideUp(value, target))
    const wantsStable = wants(stableAverage)
    const wantsPanic = wants(panicAverage)

    const over = wantsPanic / base >= PANIC_THRESHOLD
    if (over) panicAt = now
    else if (panicAt !== undefined && now - panicAt >= windowMs) {
      panicAt = undefined
      panicFloor = 0
    }

    const lowest = Math.floor(base / MAX_SCALE_DOWN_RATE)
    const highest = Math.ceil(base * MAX_SCALE_UP_RATE)
    const stable = clamp(wantsStable, lowest, highest)
    let unbounded = stable
    if (panicAt !== undefined) {
      panicFloor = Math.max(panicFloor, ready, stable, clamp(wantsPanic, lowest, highest))
      unbounded = panicFloor
    }
    const desired = clamp(unbounded, Math.min(minScale, maxScale), maxScale)

    let reason: string
    if (young)
      reason = `${current} ${current === 1 ? 'request' : 'requests'} after an idle window, ${capacity} per instance`
    else if (over) {
      reason = `panic: ${panicAverage.toFixed(1)} concurrent requests over ${tidy(panicSeconds)} s need ${wantsPanic} instances, at least ${PANIC_THRESHOLD} × the ${base} that are ready`
    } else if (panicAt !== undefined) {
      reason = `panic: stays at ${unbounded} for another ${tidy((panicAt + windowMs - now) / 1000)} s`
    } else if (idle) reason = busyUntil === -Infinity ? 'never used' : `idle for ${tidy(windowSeconds)} s`
    else {
      reason = `${stableAverage.toFixed(1)} concurrent requests over ${tidy(windowSeconds)} s need ${wantsStable} at ${tidy(target)} per instance`
      if (stable > wantsStable) reason += `, only halved to ${stable} for now`
    }
    if (desired > unbounded) reason += `, min scale ${desired}`
    else if (desired < unbounded) reason += `, max scale ${desired}`

    return { at: now, ready, desired, panic: panicAt !== undefined, stableAverage, panicAverage, reason }
  }

  return {
    observe,
    averages,
    decide,
    touch(now) {
      busyUntil = Math.max(busyUntil, now)
    },
  }
}

/** Returns ⌈a / b⌉. Like the KPA, ignores floating-point errors below 1e-6. */
function divideUp(a: number, b: number): number {
  return Math.ceil(a / b - 1e-6)
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high)
}

function tidy(value: number): string {
  return String(Math.round(value * 10) / 10)
}
