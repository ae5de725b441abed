import type { Config } from '../process/config.ts'

/*
 * The counts of requests that all processes share (http/limits.ts). They are in Redis if REDIS_URL is set, and
 * otherwise in the domain's own store. The library is loaded when a process first needs them, and most never do.
 */

/** The name of the table or collection in the domain's own store. */
export const requestCounts = 'request_counts'

export interface RequestCounts {
  /**
   * Adds to the count of a key. A count begins with its first request, and ends `seconds` later.
   * @returns the count, and when it ends, in ms from now
   */
  add: (key: string, requests: number, seconds: number) => Promise<{ count: number; endsInMs: number }>
  close: () => void
}

/** Options that every limiter needs, and that `penalty` does not use. */
export const unlimited = { points: 1, duration: 60 } as const

/** The part of a limiter of rate-limiter-flexible that is used here. */
export interface Limiter {
  penalty: (
    key: string,
    points: number,
    options: { customDuration: number },
  ) => Promise<{ consumedPoints: number; msBeforeNext: number }>
}

/**
 * Opens the shared counts when they are first used.
 * @param own loads the library, and opens a limiter in the domain's own store
 */
export function openRequestCounts(config: Config, own: () => Promise<Limiter>): RequestCounts {
  const redis = config.get('REDIS_URL') && config.need('REDIS_URL')
  let close = () => {}
  async function open(): Promise<Limiter> {
    if (!redis) return own()
    const { redisLimiter } = await import('./redis.ts')
    const opened = redisLimiter(redis)
    close = opened.close
    return opened.limiter
  }
  let opening: Promise<Limiter> | undefined
  return {
    async add(key, requests, seconds) {
      opening ??= open()
      // adds to the count, whatever it is: the limit depends on the row
      const { consumedPoints, msBeforeNext } = await (
        await opening
      ).penalty(key, requests, { customDuration: seconds })
      return { count: consumedPoints, endsInMs: msBeforeNext }
    },
    close: () => close(),
  }
}
