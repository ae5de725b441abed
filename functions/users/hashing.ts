import { gatewayProblems } from '../shared/http/gateway-problems.ts'
import { Problem } from '../shared/http/problems.ts'

/** The last of 200 waits for some 3 s on two cores; clients of more would give up before they are served. */
const most = 200

let requests = 0

/**
 * Wraps an operation that hashes a password. A process takes 200 of these requests at once and refuses more, so that
 * its queue cannot grow without end. In Compose nothing in front of the process limits them.
 * @throws Problem 503, before anything is done
 */
export const hashing =
  <A extends unknown[], R>(handle: (...args: A) => Promise<R>) =>
  async (...args: A): Promise<R> => {
    if (requests >= most)
      throw new Problem('overloaded', {
        detail: gatewayProblems.overloaded.detail,
        headers: { 'retry-after': '2' },
      })
    requests++
    try {
      return await handle(...args)
    } finally {
      requests--
    }
  }
