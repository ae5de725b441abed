import { Hono } from 'hono'
import { pino } from 'pino'
import { expect, it } from 'vitest'
import { Problem } from './problems.ts'
import { logRefusedDelivery, logWithoutRequest, openSecurityLog } from './security-log.ts'

/** Writes an entry of each kind at a level of the log. Returns the names of those that were written. */
async function written(level: string) {
  const lines: string[] = []
  const log = pino({ level }, { write: (line: string) => lines.push(line) })
  const securityLog = openSecurityLog(log, () => '198.51.100.7')
  const problem = new Problem('not-logged-in', { detail: 'a test' })
  const app = new Hono().get('/', (c) => {
    securityLog.refused(c, problem)
    securityLog.of(c)('logged-in')
    return c.text('')
  })
  await app.request('/')
  logWithoutRequest(log, 'payment-refunded', {})
  logRefusedDelivery(log, problem, {})
  log.info('anything else')
  return lines.map((line) => (JSON.parse(line) as { security?: { event: string } }).security?.event)
}

const entries = ['not-logged-in', 'logged-in', 'payment-refunded', 'not-logged-in']

it.each(['warn', 'error', 'fatal'])('writes at LOG_LEVEL=%s what nothing else is written at', async (level) =>
  expect(await written(level)).toEqual(entries),
)

it('writes nothing at LOG_LEVEL=silent', async () => expect(await written('silent')).toEqual([]))
