import type { Context } from 'hono'
import { accepts } from 'hono/accepts'

/**
 * Returns the type in which a client wants the answer (RFC 9110, 12.5.1): that of the supported types which it likes best.
 * A client that accepts none of them, or does not say, gets the first.
 */
export const acceptedType = <const T extends string>(c: Context, supports: readonly [T, ...T[]]): T =>
  accepts(c, {
    header: 'Accept',
    supports: [...supports],
    default: supports[0],
    match: (accepted) => {
      /** How much the client likes a type, by the most specific range that names it. */
      const liking = (type: string) => {
        const ranges = [type, `${type.split('/')[0]}/*`, '*/*']
        return (
          ranges.map((range) => accepted.find((one) => one.type.toLowerCase() === range)?.q).find(isGiven) ??
          0
        )
      }
      const best = Math.max(...supports.map(liking))
      return supports.find((type) => best > 0 && liking(type) === best) ?? supports[0]
    },
  }) as T

const isGiven = (q: number | undefined) => q !== undefined
