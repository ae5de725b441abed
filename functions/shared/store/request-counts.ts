/*
 * The counts of requests that all processes share (http/limits.ts), in the domain's own store. rate-limiter-flexible is
 * loaded when a process first needs them, and most never do.
 */

/** The name of the table or collection. */
export const requestCounts = 'request_counts'

export interface RequestCounts {
  /**
   * Adds to the count of a key. A count begins with its first request, and ends `seconds` later.
   * @returns the count, and when it ends, in ms from now
   */
  add: (key: string, requests: number, seconds: number) => Promise<{ count: number; endsInMs: number }>
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

/** @param open loads the library, and opens a limiter in the domain's own store */
export function openRequestCounts(open: () => Promise<Limiter>): RequestCounts {
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
  }
}
