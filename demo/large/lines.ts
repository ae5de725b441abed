import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { UserError } from '../../functions/shared/process/user-error.ts'
import { ApiError } from '../client/good.ts'
import type { Person } from '../client/shop.ts'

interface Answer {
  status: 'done' | 'refused' | 'finished' | 'stopped'
  line?: number
  title?: string
  detail?: string
}

/**
 * Sends lines to an operation that answers each while the others are still being sent.
 * @param path below /api/v1
 * @param done called with how many lines are done by now
 * @throws UserError if a line is refused
 */
export async function sendLines(
  { url, who }: { url: string; who: Person },
  path: string,
  lines: Iterable<object>,
  done: (count: number) => void,
): Promise<void> {
  const body = Readable.from(asText(lines))
  const response = await fetch(`${url}/api/v1${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await who.token()}`,
      'content-type': 'application/x-ndjson',
      'idempotency-key': randomUUID(),
    },
    body: Readable.toWeb(body),
    duplex: 'half',
  })
  if (!response.ok || response.body === null) throw new ApiError(response, await response.json())
  let count = 0
  let isFinished = false
  for await (const line of createInterface({ input: Readable.fromWeb(response.body) })) {
    const { status, line: number, title = '', detail = title } = JSON.parse(line) as Answer
    if (status === 'refused' || status === 'stopped')
      throw new UserError(`${path}${number === undefined ? '' : `, line ${number}`}: ${detail}`)
    isFinished ||= status === 'finished'
    if (status === 'done') done(++count)
  }
  if (!isFinished)
    throw new UserError(`${path}: the answer ended early. Run it again: it goes on from there.`)
}

function* asText(lines: Iterable<object>): Generator<string> {
  let text = ''
  for (const line of lines) {
    text += `${JSON.stringify(line)}\n`
    if (text.length < 16_384) continue
    yield text
    text = ''
  }
  yield text
}
