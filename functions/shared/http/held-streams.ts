import { Problem } from './problems.ts'

/** Ends the count of a stream. Further calls do nothing. */
export type Free = () => void

/** Counts the event streams that each caller holds in this process. */
export interface HeldStreams {
  /**
   * Counts a stream until it is freed.
   * @param caller the id of the user, or the network of a caller who is not logged in
   * @throws Problem 429 if the caller holds as many as are allowed
   */
  take(caller: string): Free
}

/** @param most how many streams a caller may hold at a time */
export function holdStreams(most: number): HeldStreams {
  const held = new Map<string, number>()
  return {
    take(caller) {
      const count = held.get(caller) ?? 0
      if (count >= most)
        throw new Problem('too-many-streams', {
          detail: `You have ${count} streams open, and no more are allowed: close one first.`,
          headers: { 'retry-after': '5' },
        })
      held.set(caller, count + 1)
      let isHeld = true
      return () => {
        if (!isHeld) return
        isHeld = false
        const left = held.get(caller)! - 1
        if (left === 0) held.delete(caller)
        else held.set(caller, left)
      }
    },
  }
}
